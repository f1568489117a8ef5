// Save, backup, new preview, stop: sent, taken by training, and done.

import { addNews, toast } from "./facts.js";
import { sendCommand } from "./server.js";

const PATIENCE_MS = 10 * 60 * 1000; // saving a large model to a slow disk takes minutes

// What tells that a command is done, and what is said then. `before` and `now` are states.
const COMMANDS = {
  save: {
    done: (before, now) => now.status.saved_at !== before.status?.saved_at,
    said: now => `Saved at iteration ${now.status.saved_iteration?.toLocaleString("en")}`,
  },
  backup: { done: () => true, said: () => "Training makes a backup of the model as last saved" },
  preview: {
    done: (before, now) => newest(now) !== newest(before),
    said: () => "New preview",
  },
  stop: { done: (before, now) => now.ended !== null, said: () => "" },
};

const newest = state => Math.max(0, ...state.previews.map(preview => preview.version));

export class Buttons {
  constructor() {
    this.waiting = new Map(); // command -> {number, before, until}
    this.state = null;
    for (const name of Object.keys(COMMANDS)) {
      document.getElementById(name).addEventListener("click", () => this.press(name));
    }
    this.dialog = document.getElementById("stop-dialog");
    this.dialog.addEventListener("close", () => {
      if (this.dialog.returnValue === "yes") this.#send("stop");
    });
  }

  press(name) {
    if (document.getElementById(name).disabled || this.waiting.has(name)) return;
    if (name !== "stop") {
      this.#send(name);
      return;
    }
    this.dialog.returnValue = "";
    this.dialog.showModal();
  }

  // A new state, or null while there is none: commands cannot be sent then.
  update(state) {
    const isOpen = state !== null && state.ended === null && state.status !== null;
    for (const name of Object.keys(COMMANDS)) document.getElementById(name).disabled = !isOpen;
    if (state === null) return;
    this.state = state;
    for (const [name, asked] of this.waiting) {
      const { done, said } = COMMANDS[name];
      const isDone = state.commands_taken >= asked.number && done(asked.before, state);
      if (isDone && said(state)) toast(said(state));
      if (isDone || state.ended !== null || Date.now() > asked.until) this.#free(name);
    }
  }

  get isStopping() {
    return this.waiting.has("stop");
  }

  async #send(name) {
    const button = document.getElementById(name);
    button.setAttribute("aria-busy", "true");
    const asked = { number: Infinity, before: this.state, until: Date.now() + PATIENCE_MS };
    this.waiting.set(name, asked);
    try {
      asked.number = await sendCommand(name);
      if (name === "stop") addNews("Asked to save and stop");
    } catch (error) {
      this.#free(name);
      toast(`Not sent: ${error.message}`);
    }
  }

  #free(name) {
    this.waiting.delete(name);
    document.getElementById(name).removeAttribute("aria-busy");
  }
}
