// The numbers above the chart, the terms below it, and the news.

import * as format from "./format.js";

const byId = id => document.getElementById(id);
const NEWS_MOST = 200;
const WAIT_WARNING = 0.1; // share of an iteration spent on waiting for samples

export function showFacts(status, now) {
  byId("name").textContent = status.name;
  byId("kind").textContent = status.kind;
  byId("iteration").textContent = format.count(status.iteration);
  showTarget(status);
  byId("speed").textContent = format.rate(status.iterations_per_second, "it/s");
  byId("images").textContent = format.rate(status.images_per_second, "/s");
  byId("wait").textContent = `${status.data_wait_ms === null ? "–" : status.data_wait_ms.toFixed(1)} ms`;
  const isWaiting = status.data_wait_ms * status.iterations_per_second > WAIT_WARNING * 1000;
  byId("wait-fact").classList.toggle("warn", isWaiting);
  byId("wait-fact").title = isWaiting ? "More than a tenth of the time: more --workers may help" : "";
  byId("memory").textContent = format.megabytes(status.memory_mb);
  byId("elapsed").textContent = format.duration(status.seconds);
  byId("saved").textContent = status.saved_at === null ? "not yet" : format.ago(now - status.saved_at);
  byId("saved").parentElement.title = status.saved_at === null ? ""
    : `iteration ${format.count(status.saved_iteration ?? 0)}, ${new Date(status.saved_at * 1000).toLocaleString()}`;
  byId("rate-fact").hidden = status.rate_scale === 1;
  byId("rate").textContent = `× ${format.value(status.rate_scale)}`;
  showTerms(status.terms);
}

function showTarget(status) {
  const target = status.target_iteration;
  byId("target").textContent = target ? `of ${format.count(target)}` : "iterations";
  byId("progress").hidden = !target;
  if (target) byId("progress").value = Math.min(status.iteration / target, 1);
  const left = status.seconds_left;
  byId("left").textContent = !target ? "no target: trains until you stop it"
    : left === null ? "" : left === 0 ? "target reached" : `${format.duration(left)} left, done ${clock(left)}`;
}

function clock(secondsAhead) {
  const then = new Date(Date.now() + secondsAhead * 1000);
  const time = then.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  const isToday = then.toDateString() === new Date().toDateString();
  return isToday ? `at ${time}` : `${then.toLocaleDateString([], { weekday: "short", day: "numeric", month: "short" })}, ${time}`;
}

function showTerms(terms) {
  byId("terms-part").hidden = !Object.keys(terms).length;
  byId("terms").replaceChildren(...Object.entries(terms).map(([name, number]) => {
    const row = document.createElement("div");
    const title = document.createElement("dt");
    const content = document.createElement("dd");
    title.textContent = name;
    content.textContent = format.loss(number);
    row.append(title, content);
    return row;
  }));
}

export function showPhase(text, kind) {
  const pill = byId("phase");
  pill.textContent = text;
  pill.className = `pill ${kind}`;
}

export function showBanner(text, kind = "") {
  const banner = byId("banner");
  banner.hidden = !text;
  banner.className = `banner ${kind}`;
  if (banner.textContent !== text) banner.textContent = text;
}

export function addNews(text, at = new Date()) {
  const line = document.createElement("li");
  const time = document.createElement("time");
  time.textContent = at.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  time.title = at.toLocaleString();
  line.append(time, text);
  byId("news").prepend(line);
  while (byId("news").children.length > NEWS_MOST) byId("news").lastChild.remove();
}

export function toast(text) {
  const note = document.createElement("div");
  note.className = "toast";
  note.textContent = text;
  byId("toasts").append(note);
  setTimeout(() => note.remove(), 5000);
}
