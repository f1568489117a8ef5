// The chart panel: what is fetched, what is shown, and how.

import { Chart } from "./chart.js";
import { loss } from "./format.js";
import { getCurves } from "./server.js";
import { segments } from "./segments.js";

const byId = id => document.getElementById(id);
const RANGES = ["0", "5000", "10000", "50000", "100000"]; // in the order of the key `l`
const SECONDS = "seconds";

export class CurvePanel {
  constructor() {
    this.chart = new Chart(byId("chart"), byId("tooltip"));
    this.fetched = new Map(); // range -> {curves, columns}
    this.hidden = new Set();
    this.settings = { metric: "losses", range: "0", scale: "log", smoothing: "60",
      ...JSON.parse(localStorage.getItem("chart") ?? "{}") };
    this.groups = {};
    for (const name of ["metric", "range", "scale"]) {
      this.groups[name] = segments(byId(name), value => this.#set(name, value));
      this.groups[name].press(this.settings[name]);
    }
    byId("smoothing").value = this.settings.smoothing;
    byId("smoothing").addEventListener("input", event => this.#set("smoothing", event.target.value));
  }

  // Fetches the curves if the chart would look different, and shows them.
  async update(status) {
    this.status = status;
    if (this.#isOld(this.settings.range)) await this.#fetch(this.settings.range);
    this.show();
  }

  // Fetches all ranges, for the time after the end.
  async fetchAll() {
    for (const range of RANGES) await this.#fetch(range);
    this.show();
  }

  nextRange() {
    const next = RANGES[(RANGES.indexOf(this.settings.range) + 1) % RANGES.length];
    this.groups.range.press(next);
    this.#set("range", next);
  }

  show() {
    const curves = this.fetched.get(this.settings.range)?.curves;
    if (!curves) return;
    const isTime = this.settings.metric === SECONDS;
    const losses = Object.keys(curves.series).filter(name => name !== SECONDS);
    const all = (isTime ? [SECONDS] : losses).map((name, color) => ({
      name, color: isTime ? 3 : color, label: isTime ? "time per iteration" : name }));
    this.chart.show({
      curves, shown: all.filter(item => !this.hidden.has(item.name)),
      isLog: this.settings.scale === "log", unit: isTime ? " s" : "",
      smoothing: Math.min(this.settings.smoothing / 100, 0.98),
    });
    this.#legend(all, curves);
  }

  #set(name, value) {
    this.settings[name] = value;
    localStorage.setItem("chart", JSON.stringify(this.settings));
    this.show();
    if (this.status && this.#isOld(this.settings.range)) this.#fetch(this.settings.range).then(() => this.show(), () => {});
  }

  #isOld(range) {
    const known = this.fetched.get(range);
    if (!known || known.columns !== this.chart.columns) return true;
    const { first, last } = known.curves;
    const nNew = this.status.iteration - last;
    return nNew < 0 || nNew >= Math.max(1, (last - first + 1) / known.columns);
  }

  async #fetch(range) {
    const columns = this.chart.columns;
    this.fetched.set(range, { curves: await getCurves(range, columns), columns });
  }

  #latest(name, curves) {
    const column = curves.series[name].mean.at(-1);
    if (column === undefined) return "–";
    return name === SECONDS ? `${loss(column)} s` : loss(this.status.losses[name] ?? column);
  }

  // One button per curve, with its recent mean; a click hides or shows it.
  #legend(all, curves) {
    byId("legend").replaceChildren(...all.map(({ name, color, label }) => {
      const button = document.createElement("button");
      const swatch = document.createElement("span");
      const number = document.createElement("b");
      swatch.className = "swatch";
      swatch.style.background = Chart.color(color);
      number.textContent = this.#latest(name, curves);
      button.append(swatch, label, number);
      button.title = "Hide or show this curve";
      button.setAttribute("aria-pressed", String(!this.hidden.has(name)));
      button.addEventListener("click", () => {
        if (!this.hidden.delete(name)) this.hidden.add(name);
        this.show();
      });
      return button;
    }));
  }
}
