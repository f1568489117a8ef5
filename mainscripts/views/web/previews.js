// The preview panel. All pictures are fetched at once, so that they stay when training ends.

import { ago } from "./format.js";
import { getPreview } from "./server.js";
import { segments } from "./segments.js";

const byId = id => document.getElementById(id);

export class Previews {
  constructor() {
    this.known = new Map(); // name -> {version, iteration, madeAt, address}
    this.chosen = localStorage.getItem("preview");
    this.names = segments(byId("names"), name => this.choose(name));
    byId("enlarge").addEventListener("click", () => this.#enlarge());
    byId("picture-dialog").addEventListener("click", event => event.currentTarget.close());
  }

  async update(previews, now) {
    this.now = now;
    for (const { name, version, iteration, made_at: madeAt } of previews) {
      if (this.known.get(name)?.version === version) continue;
      const address = URL.createObjectURL(await getPreview(name));
      if (this.known.has(name)) URL.revokeObjectURL(this.known.get(name).address);
      this.known.set(name, { version, iteration, madeAt, address });
    }
    for (const name of [...this.known.keys()]) {
      if (!previews.some(preview => preview.name === name)) this.known.delete(name);
    }
    this.#show();
  }

  choose(name) {
    this.chosen = name;
    localStorage.setItem("preview", name);
    this.#show();
  }

  next() {
    const names = [...this.known.keys()];
    if (names.length) this.choose(names[(names.indexOf(this.chosen) + 1) % names.length]);
  }

  #show() {
    const names = [...this.known.keys()];
    if (!names.length) return;
    if (!names.includes(this.chosen)) this.chosen = names[0];
    this.names.set(names, this.chosen);
    const { address, iteration, madeAt } = this.known.get(this.chosen);
    const picture = byId("picture");
    if (picture.src !== address) picture.src = byId("full-picture").src = address;
    picture.alt = byId("full-picture").alt = `Preview ${this.chosen} at iteration ${iteration}`;
    picture.hidden = false;
    byId("enlarge").disabled = false;
    byId("no-picture").hidden = true;
    byId("preview-age").textContent =
      `iteration ${iteration.toLocaleString("en")}, ${ago(this.now - madeAt)}`;
  }

  #enlarge() {
    byId("picture-dialog").showModal();
  }
}
