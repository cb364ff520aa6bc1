// Keeps the page as it is now: the server says which regions changed and sends them, made anew. Without script the page is right too, as old
// as its last load. Clocks run here, from the times that the server wrote.

const policy = self.trustedTypes
  ? trustedTypes.createPolicy("detente", { createHTML: (s) => s }) // the only HTML it is given comes from our own templates, which escape
  : { createHTML: (s) => s };
const body = document.body;
document.documentElement.dataset.scripted = "";

// fragment parses HTML that the server has made.
export function fragment(html) {
  const t = document.createElement("template");
  t.innerHTML = policy.createHTML(html);
  return t.content;
}

// --- clocks: what is due counts down, what is past counts up, signed

const two = (n) => String(n).padStart(2, "0");

function span(seconds) {
  const s = Math.abs(seconds);
  const days = Math.floor(s / 86400);
  const hms = `${two(Math.floor(s / 3600) % 24)}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}`;
  return (days ? `${days}d ` : "") + hms;
}

const months = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];

function dtg(d) {
  return `${two(d.getUTCDate())}${two(d.getUTCHours())}${two(d.getUTCMinutes())}Z ${months[d.getUTCMonth()]} ${two(d.getUTCFullYear() % 100)}`;
}

let ahead = 0; // how far the server's clock is ahead of this one: its times are the ones that count

export function tick(root = document) {
  const now = Date.now() + ahead;
  for (const t of root.querySelectorAll("time[data-clock]")) {
    const left = Math.round((Date.parse(t.dateTime) - now) / 1000);
    if (!t.title) t.title = t.textContent;
    const text = (left < 0 ? "+" : "") + span(left);
    if (t.textContent !== text) t.textContent = text;
    t.classList.toggle("late", left < 0);
  }
  for (const t of root.querySelectorAll("time[data-now]")) {
    const text = dtg(new Date(now));
    if (t.textContent !== text) t.textContent = text;
    const local = t.parentElement.querySelector("[data-local]");
    if (local) {
      const there = new Date(now).toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
      if (local.textContent !== there) local.textContent = there;
    }
  }
}

const clock = document.querySelector("time[data-now]");
if (clock) {
  ahead = Date.parse(clock.dateTime) - Date.now();
  if (Math.abs(ahead) < 5000) ahead = 0; // the page's own way here
}
tick();
setInterval(tick, 1000);

// --- regions

function known() {
  return new Map([...document.querySelectorAll(".item.untaken[data-item]")].map((e) => [e.dataset.item, e]));
}

// announce tells a screen reader of items that were not there before: a FLASH at once, all else when there is a pause.
function announce(before) {
  for (const [key, e] of known()) {
    if (before.has(key)) continue;
    const to = document.getElementById(e.dataset.precedence === "Z" ? "assertive" : "polite");
    const words = [...e.querySelectorAll(".prec, .kind, .title")].map((x) => x.textContent.trim());
    if (to) to.textContent = words.join(", ");
  }
}

// busy tells whether somebody is in the middle of something in a region: then it waits until he is done.
function busy(region) {
  const f = document.activeElement;
  return region.contains(f) && f.matches("input, textarea, select");
}

const waiting = new Map();

function place(id, html) {
  const region = document.getElementById(id);
  if (!region) return;
  if (busy(region)) {
    waiting.set(id, html);
    region.addEventListener("focusout", () => setTimeout(() => {
      const late = waiting.get(id);
      waiting.delete(id);
      if (late !== undefined) place(id, late);
    }), { once: true });
    return;
  }
  const before = known();
  const held = document.activeElement;
  const href = region.contains(held) ? held.getAttribute("href") : null;
  const open = new Map([...region.querySelectorAll("details")].map((d, i) => [i, d.open]));
  const fresh = fragment(html);
  tick(fresh);
  region.replaceChildren(fresh);
  region.querySelectorAll("details").forEach((d, i) => { if (open.has(i)) d.open = open.get(i); });
  if (href) {
    for (const a of region.querySelectorAll("a[href]")) {
      if (a.getAttribute("href") === href) { a.focus({ preventScroll: true }); break; }
    }
  }
  for (const p of region.querySelectorAll("[data-made]")) p.hidden = p.dataset.made === p.closest("[data-loaded]")?.dataset.loaded;
  if (id === "watch.items") announce(before);
  if (id === "frame.nav") count();
  document.dispatchEvent(new CustomEvent("region", { detail: id }));
}

// count puts the number of untaken items into the title, and the alarm into the icon.
function count() {
  const ul = document.querySelector(".nav ul");
  if (!ul) return;
  const n = Number(ul.dataset.waiting);

  const word = document.querySelector(".edge-top");
  document.title = (n ? `(${n}) ` : "") + (word ? word.textContent.toUpperCase() + " – " : "") + body.dataset.title;
  const icon = document.querySelector('link[rel="icon"]');
  icon.dataset.calm ??= icon.href;
  const want = ul.dataset.sound && ul.dataset.sound !== "none" ? icon.dataset.alarm : icon.dataset.calm;
  if (icon.href !== new URL(want, location.href).href) icon.href = want;
}
count();

if (body.dataset.live && self.EventSource) {
  const offline = document.getElementById("offline");
  const source = new EventSource(body.dataset.live);
  let lost = 0;
  source.addEventListener("region", (e) => {
    const r = JSON.parse(e.data);
    place(r.id, r.html);
  });
  source.addEventListener("open", () => {
    clearTimeout(lost);
    lost = 0;
    offline.hidden = true;
  });
  source.addEventListener("error", () => {
    lost ||= setTimeout(() => {
      offline.textContent = body.dataset.offline;
      offline.hidden = false;
    }, 5000);
  });
  addEventListener("pagehide", () => source.close());
}
