// Shows beside the form what its reader will read, while it is written, and only those fields that apply.

import { fragment } from "./live.js";

const form = document.getElementById("compose");
const view = document.getElementById("preview");
let timer = 0;
let running = null;

async function look() {
  running?.abort();
  running = new AbortController();
  const data = new FormData(form);
  for (const [name, value] of [...data]) {
    if (!(value instanceof File)) continue;
    data.delete(name); // their names are enough here: the files go when it is sent
    if (value.name) data.append(name, new File([" "], value.name, { type: value.type }));
  }
  try {
    const r = await fetch(form.dataset.preview, { method: "POST", body: data, signal: running.signal });
    if (r.ok && r.url.endsWith(form.dataset.preview)) view.replaceChildren(fragment(await r.text()));
  } catch {
    // the next key tries again
  }
}

function soon() {
  clearTimeout(timer);
  timer = setTimeout(look, 300);
}

function apply() {
  for (const e of form.querySelectorAll("[data-when]")) {
    const [name, codes] = e.dataset.when.split("=");
    const field = form.elements["f." + name];
    e.hidden = !codes.split(",").includes(field?.value ?? "");
  }
}

if (form) {
  form.addEventListener("input", () => { apply(); soon(); });
  document.getElementById("reader")?.addEventListener("change", soon);
  apply();
  look();
}
