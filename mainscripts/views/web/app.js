// The page's heart: asks for the state once a second and shows it.

import { Buttons } from "./buttons.js";
import { CurvePanel } from "./curves.js";
import { addNews, showBanner, showFacts, showPhase } from "./facts.js";
import { count } from "./format.js";
import { Previews } from "./previews.js";
import { getState, Refused } from "./server.js";
import { setUpTheme } from "./theme.js";

const SECOND = 1000;
const HIDDEN_MS = 5 * SECOND; // between questions while nobody looks
const OFFLINE_MS = 3 * SECOND;

const buttons = new Buttons();
const curves = new CurvePanel();
const previews = new Previews();
let last = null; // state

setUpTheme(document.getElementById("theme"), () => curves.show());

// What happened between two states.
function tellNews(before, now) {
  const [old, fresh] = [before?.status, now.status];
  // A message of training says it in its own words.
  const isSaid = /^saved/i.test(fresh.message) && fresh.message !== old?.message;
  if (fresh.saved_at !== null && fresh.saved_at !== old?.saved_at && !isSaid) {
    const at = fresh.saved_iteration === null ? "" : ` at iteration ${count(fresh.saved_iteration)}`;
    addNews(`Saved${at}`, new Date(fresh.saved_at * SECOND));
  }
  if (fresh.message && fresh.message !== old?.message) addNews(fresh.message);
}

async function showState(state) {
  buttons.update(state);
  if (state.status === null) {
    showPhase("starting", "waiting");
    return;
  }
  tellNews(last, state);
  last = state;
  showFacts(state.status, state.now);
  document.title = `${count(state.status.iteration)} · ${state.status.name} · FaceLab`;
  showPhase(buttons.isStopping ? "stopping" : "training", buttons.isStopping ? "waiting" : "training");
  showBanner(buttons.isStopping ? "Stopping: the model is saved first." : "");
  await Promise.all([curves.update(state.status), previews.update(state.previews, state.now)]);
}

async function showEnd(state) {
  const reason = state.ended.startsWith("stopped") ? "" : `: ${state.ended}`;
  showPhase("ended", "ended");
  showBanner(`Training ended${reason}. What you see is its last state; "train" goes on from there.`, "ended");
  addNews(`Training ended${reason}`);
  document.title = `ended · ${document.title}`;
  document.getElementById("left").textContent = "";
  await curves.fetchAll();
  await getState(true);
}

function showTrouble(error) {
  buttons.update(null);
  showPhase("not connected", "waiting");
  showBanner(error instanceof Refused ? error.message
    : "No answer: training may have ended, or this computer slept. Trying again …");
}

async function watch() {
  let pause = document.hidden ? HIDDEN_MS : SECOND;
  try {
    const state = await getState();
    await showState(state);
    if (state.ended !== null) {
      await showEnd(state);
      return;
    }
  } catch (error) {
    showTrouble(error);
    pause = OFFLINE_MS;
  }
  nap(pause);
}

// Waits, but not when somebody comes back to the page.
function nap(pause) {
  const controller = new AbortController();
  const wake = () => {
    controller.abort();
    clearTimeout(timer);
    watch();
  };
  const timer = setTimeout(wake, pause);
  document.addEventListener("visibilitychange", () => document.hidden || wake(), { signal: controller.signal });
}

const KEYS = {
  s: () => buttons.press("save"), b: () => buttons.press("backup"), p: () => buttons.press("preview"),
  l: () => curves.nextRange(), " ": () => previews.next(), Enter: () => buttons.press("stop"),
};

document.addEventListener("keydown", event => {
  const isElsewhere = event.target.closest("button, input, dialog") || document.querySelector("dialog[open]");
  if (isElsewhere || event.ctrlKey || event.metaKey || event.altKey || event.repeat || !(event.key in KEYS)) return;
  event.preventDefault();
  KEYS[event.key]();
});

watch();
