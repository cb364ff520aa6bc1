// Keys do what a click does: each action bears its key, and the key presses it. They are off while somebody writes.

import "./live.js";

const typing = (e) => e.target.closest("input, textarea, select, [contenteditable]") && !e.target.matches('[type="checkbox"]');

const rows = () => [...document.querySelectorAll("a[data-row]")].filter((a) => a.offsetParent);

function move(by) {
  const all = rows();
  if (!all.length) return;
  const at = all.indexOf(document.activeElement);
  const chosen = all.findIndex((a) => a.getAttribute("aria-current"));
  const next = at >= 0 ? at + by : chosen >= 0 ? chosen + by : by > 0 ? 0 : all.length - 1;
  const to = all[Math.min(Math.max(next, 0), all.length - 1)];
  to.focus();
  to.scrollIntoView({ block: "nearest" });
}

const bound = JSON.parse(document.body.dataset.keys || "{}");
let going = false;

document.addEventListener("keydown", (e) => {
  if (e.ctrlKey || e.altKey || e.metaKey || e.isComposing) return;
  if (e.key === "Escape") {
    if (typing(e)) e.target.blur();
    else if (document.querySelector("details.menu[open]")) document.querySelector("details.menu[open]").open = false;
    else if (history.length > 1) history.back();
    return;
  }
  if (typing(e)) return;
  if (going) {
    going = false;
    const to = document.querySelector(`a[data-go="${CSS.escape(e.key)}"]`);
    if (to) {
      e.preventDefault();
      to.click();
    }
    return;
  }
  switch (e.key) {
    case bound.go: going = true; return;
    case bound.next: move(1); e.preventDefault(); return;
    case bound.previous: move(-1); e.preventDefault(); return;
    case bound.help: document.querySelector('.nav a[href$="/help"]')?.click(); return;
    case bound.search: {
      const field = document.querySelector("[data-search]");
      if (field) field.focus();
      else document.querySelector('a[data-go="t"]')?.click();
      e.preventDefault();
      return;
    }
  }
  // An action on the row that has the focus goes before one that stands elsewhere on the page.
  const wanted = `[data-key="${CSS.escape(e.key)}"]`;
  const here = document.activeElement.closest("[data-item], article, section");
  const action = here?.querySelector(wanted) || document.querySelector(wanted);
  if (action) {
    e.preventDefault();
    action.click();
  }
});

document.addEventListener("change", (e) => {
  if (e.target.matches("[data-submit]")) e.target.form.requestSubmit();
});

// A menu closes when somebody presses elsewhere.
document.addEventListener("click", (e) => {
  for (const d of document.querySelectorAll("details.menu[open]")) if (!d.contains(e.target)) d.open = false;
});

for (const e of document.querySelectorAll(".scripted[hidden]")) e.hidden = false;
