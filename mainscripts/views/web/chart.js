// Curves on a canvas: a band from the smallest to the largest value of each column, a line for
// the mean, smoothed if wished, and the values under the pointer.

import { count, loss, short, value } from "./format.js";
import { linearTicks, logTicks, smoothed, valueAxis } from "./axis.js";

const MARGIN = { left: 58, right: 12, top: 8, bottom: 26 };
const N_COLORS = 6;

export class Chart {
  constructor(canvas, tooltip) {
    this.canvas = canvas;
    this.tooltip = tooltip;
    this.curves = { first: 1, last: 0, series: {} };
    this.shown = [];
    this.isLog = true;
    this.smoothing = 0;
    this.unit = "";
    this.pointer = null; // column under the pointer
    canvas.addEventListener("pointermove", event => this.#point(event.offsetX));
    canvas.addEventListener("pointerdown", event => this.#point(event.offsetX));
    canvas.addEventListener("pointerleave", () => this.#leave());
    canvas.addEventListener("blur", () => this.#leave());
    canvas.addEventListener("keydown", event => this.#key(event));
    new ResizeObserver(() => this.draw()).observe(canvas);
  }

  // Columns that the plot can show apart.
  get columns() {
    return Math.max(100, Math.round(this.canvas.clientWidth - MARGIN.left - MARGIN.right));
  }

  // shown: [{name, series, color index, label}]
  show({ curves, shown, isLog, smoothing, unit }) {
    Object.assign(this, { curves, shown, isLog, smoothing, unit });
    this.draw();
  }

  static color(index) {
    const style = getComputedStyle(document.documentElement);
    return style.getPropertyValue(`--series-${(index % N_COLORS) + 1}`).trim();
  }

  draw() {
    const ratio = window.devicePixelRatio || 1;
    const { clientWidth: width, clientHeight: height } = this.canvas;
    if (!width || !height) return;
    this.canvas.width = Math.round(width * ratio);
    this.canvas.height = Math.round(height * ratio);
    const pen = this.canvas.getContext("2d");
    pen.scale(ratio, ratio);
    this.box = { x1: MARGIN.left, y1: MARGIN.top, x2: width - MARGIN.right, y2: height - MARGIN.bottom };
    const series = this.shown.map(({ name }) => this.curves.series[name]).filter(Boolean);
    this.axis = valueAxis(series, this.isLog);
    this.#grid(pen);
    if (!series.length || this.curves.last < this.curves.first) {
      pen.textAlign = "center";
      pen.fillText("no iterations yet", (this.box.x1 + this.box.x2) / 2, height / 2);
      return;
    }
    pen.save();
    pen.beginPath();
    pen.rect(this.box.x1, this.box.y1 - 2, this.box.x2 - this.box.x1, this.box.y2 - this.box.y1 + 4);
    pen.clip();
    for (const item of this.shown) this.#band(pen, item);
    for (const item of this.shown) this.#line(pen, item);
    pen.restore();
    this.#cursor(pen);
  }

  #x(column, nColumns) {
    const { x1, x2 } = this.box;
    return nColumns < 2 ? (x1 + x2) / 2 : x1 + (column / (nColumns - 1)) * (x2 - x1);
  }

  #y(number) {
    return this.box.y2 - this.axis.fraction(number) * (this.box.y2 - this.box.y1);
  }

  #grid(pen) {
    const style = getComputedStyle(document.documentElement);
    const { x1, y1, x2, y2 } = this.box;
    pen.font = "12px system-ui, sans-serif";
    pen.fillStyle = style.getPropertyValue("--quiet");
    pen.strokeStyle = style.getPropertyValue("--grid");
    pen.textBaseline = "middle";
    pen.textAlign = "right";
    const ticks = this.isLog && this.axis.isLog ? logTicks : linearTicks;
    for (const tick of ticks(this.axis.low, this.axis.high, (y2 - y1) / 40)) {
      const y = Math.round(this.#y(tick)) + 0.5;
      stroke(pen, x1, y, x2, y);
      pen.fillText(value(tick), x1 - 8, y);
    }
    pen.textBaseline = "top";
    pen.textAlign = "center";
    const { first, last } = this.curves;
    if (last <= first) return;
    for (const tick of linearTicks(first, last, (x2 - x1) / 70)) {
      if (tick !== Math.round(tick)) continue;
      const x = Math.round(x1 + ((tick - first) / (last - first)) * (x2 - x1)) + 0.5;
      stroke(pen, x, y1, x, y2);
      const half = pen.measureText(short(tick)).width / 2;
      pen.fillText(short(tick), Math.min(x, x2 + MARGIN.right - half), y2 + 8);
    }
  }

  #band(pen, { name, color }) {
    const series = this.curves.series[name];
    if (!series) return;
    pen.globalAlpha = this.smoothing ? 0.13 : 0.22;
    pen.fillStyle = Chart.color(color);
    for (const [start, end] of runs(series.mean)) {
      pen.beginPath();
      for (let i = start; i < end; i++) pen.lineTo(this.#x(i, series.mean.length), this.#y(series.high[i]));
      for (let i = end - 1; i >= start; i--) pen.lineTo(this.#x(i, series.mean.length), this.#y(series.low[i]));
      pen.fill();
    }
    pen.globalAlpha = 1;
  }

  #line(pen, { name, color }) {
    const series = this.curves.series[name];
    if (!series) return;
    pen.strokeStyle = pen.fillStyle = Chart.color(color);
    pen.lineJoin = "round";
    pen.lineWidth = 1.8;
    const values = smoothed(series.mean, this.smoothing);
    for (const [start, end] of runs(values)) {
      pen.beginPath();
      for (let i = start; i < end; i++) pen.lineTo(this.#x(i, values.length), this.#y(values[i]));
      pen.stroke();
      if (end - start === 1) {
        pen.beginPath();
        pen.arc(this.#x(start, values.length), this.#y(values[start]), 3, 0, 7);
        pen.fill();
      }
    }
  }

  #cursor(pen) {
    const first = this.curves.series[this.shown[0]?.name];
    this.tooltip.hidden = this.pointer === null || !first?.mean.length;
    if (this.tooltip.hidden) return;
    const n = first.mean.length;
    const column = Math.min(this.pointer, n - 1);
    const x = this.#x(column, n);
    pen.strokeStyle = getComputedStyle(document.documentElement).getPropertyValue("--quiet");
    pen.setLineDash([3, 3]);
    stroke(pen, x, this.box.y1, x, this.box.y2);
    pen.setLineDash([]);
    for (const { name, color } of this.shown) {
      const mean = smoothed(this.curves.series[name].mean, this.smoothing)[column];
      if (mean === null) continue;
      pen.fillStyle = Chart.color(color);
      pen.beginPath();
      pen.arc(x, this.#y(mean), 3.5, 0, 7);
      pen.fill();
    }
    this.#describe(column, n, x);
  }

  // The tooltip: which iterations, and of each curve mean, smallest and largest.
  #describe(column, nColumns, x) {
    const nValues = this.curves.last - this.curves.first + 1;
    const start = this.curves.first + Math.floor((column * nValues) / nColumns);
    const end = this.curves.first + Math.floor(((column + 1) * nValues) / nColumns) - 1;
    const title = document.createElement("div");
    title.className = "quiet";
    title.textContent = start >= end ? `iteration ${count(start)}` : `iterations ${count(start)} – ${count(end)}`;
    this.tooltip.replaceChildren(title, ...this.shown.map(item => this.#row(item, column)));
    const width = this.tooltip.offsetWidth;
    const left = x + 14 + width > this.canvas.clientWidth ? x - width - 14 : x + 14;
    this.tooltip.style.left = `${Math.max(left, 0)}px`;
  }

  #row({ name, color, label }, column) {
    const series = this.curves.series[name];
    const [mean, low, high] = [series.mean[column], series.low[column], series.high[column]];
    const row = document.createElement("div");
    row.className = "row";
    const swatch = document.createElement("span");
    swatch.className = "swatch";
    swatch.style.background = Chart.color(color);
    const number = document.createElement("b");
    number.textContent = `${loss(mean)}${this.unit}`;
    row.append(swatch, label, number);
    if (low !== high) row.append(` (${value(low)} – ${value(high)})`);
    return row;
  }

  #point(x) {
    const n = this.curves.series[this.shown[0]?.name]?.mean.length;
    if (!n || !this.box) return;
    const share = (x - this.box.x1) / (this.box.x2 - this.box.x1);
    this.pointer = Math.min(n - 1, Math.max(0, Math.round(share * (n - 1))));
    this.draw();
  }

  #leave() {
    this.pointer = null;
    this.draw();
  }

  #key(event) {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const n = this.curves.series[this.shown[0]?.name]?.mean.length;
    if (!step || !n) return;
    event.preventDefault();
    this.pointer = Math.min(n - 1, Math.max(0, (this.pointer ?? n) + step * (event.shiftKey ? 20 : 1)));
    this.draw();
  }
}

function stroke(pen, x1, y1, x2, y2) {
  pen.lineWidth = 1;
  pen.beginPath();
  pen.moveTo(x1, y1);
  pen.lineTo(x2, y2);
  pen.stroke();
}

// [start, end) of every stretch without gaps.
function* runs(values) {
  let start = null;
  for (let i = 0; i <= values.length; i++) {
    const known = i < values.length && values[i] !== null;
    if (known && start === null) start = i;
    if (!known && start !== null) {
      yield [start, i];
      start = null;
    }
  }
}
