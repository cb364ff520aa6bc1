// Sounds while an item stands untaken: a FLASH two soft tones every ten seconds, louder after a minute; an IMMEDIATE one tone a minute. A
// browser plays nothing before somebody has pressed something, so the watch begins with a press, which also proves that it can be heard.

import "./live.js";

const button = document.getElementById("sound");
const state = document.getElementById("sound-state");
let context = null;
let since = 0;
let last = 0;

function tone(hertz, at, volume) {
  const o = context.createOscillator();
  const g = context.createGain();
  o.frequency.value = hertz;
  const t = context.currentTime + at;
  g.gain.setValueAtTime(0, t);
  g.gain.linearRampToValueAtTime(volume, t + 0.04);
  g.gain.setValueAtTime(volume, t + 0.28);
  g.gain.linearRampToValueAtTime(0, t + 0.4);
  o.connect(g).connect(context.destination);
  o.start(t);
  o.stop(t + 0.45);
}

function flash(volume) {
  tone(660, 0, volume);
  tone(880, 0.45, volume);
}

function tell(key) {
  if (state) state.textContent = button.dataset[key];
  document.documentElement.dataset.sound = key;
}

const wanted = () => document.querySelector(".nav ul")?.dataset.sound || "none";

function beat() {
  const what = wanted();
  const now = Date.now();
  if (what === "none" || !context) {
    since = last = 0;
    return;
  }
  since ||= now;
  const every = what === "flash" ? 10_000 : 60_000;
  if (now - last < every) return;
  last = now;
  if (what === "flash") flash(now - since > 60_000 ? 0.5 : 0.2);
  else tone(660, 0, 0.2);
}

async function begin(proof) {
  try {
    context ??= new AudioContext();
    await Promise.race([context.resume(), new Promise((done) => setTimeout(done, 1000))]);
    if (context.state !== "running") throw new Error("suspended");
    if (proof) flash(0.2);
    tell("proved");
    sessionStorage.setItem("sound", "on");
  } catch {
    context = null;
    tell("bad");
  }
}

button?.addEventListener("click", () => begin(true));
// On the next page of the same watch a browser that has learnt to trust us plays at once; if not, the next press will do.
if (sessionStorage.getItem("sound")) {
  const again = () => { if (!context) begin(false); };
  if (navigator.userActivation?.hasBeenActive) again();
  addEventListener("pointerdown", again, { once: true });
  addEventListener("keydown", again, { once: true });
}
setInterval(beat, 1000);
