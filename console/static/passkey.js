// Passkeys: signing in, adding one, and approving a release, whose digest is what the passkey signs.

import "./live.js";

const bytes = (s) => Uint8Array.from(atob(s.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
const text = (b) => btoa(String.fromCharCode(...new Uint8Array(b))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

// request turns what the server asks for into what the browser takes.
function request(o) {
  const p = { ...o, challenge: bytes(o.challenge) };
  if (o.user) p.user = { ...o.user, id: bytes(o.user.id) };
  for (const list of ["allowCredentials", "excludeCredentials"]) {
    if (o[list]) p[list] = o[list].map((c) => ({ ...c, id: bytes(c.id) }));
  }
  return p;
}

// answer turns what the browser gives into what the server takes.
function answer(c) {
  const out = { id: c.id, rawId: text(c.rawId), type: c.type, clientExtensionResults: c.getClientExtensionResults(), response: {} };
  for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
    if (c.response[name]) out.response[name] = text(c.response[name]);
  }
  if (c.response.getTransports) out.response.transports = c.response.getTransports();
  return JSON.stringify(out);
}

async function post(path, body) {
  const r = await fetch(path, { method: "POST", body, headers: { "Content-Type": "application/json" } });
  if (!r.ok) throw new Error(await r.text());
  return r;
}

// attempt runs one ceremony, and says beside it when it does not succeed.
async function attempt(form, why, run) {
  const state = form.querySelector(".passkey-state") || document.querySelector(".passkey-state");
  const button = form.querySelector("button");
  state.textContent = "";
  button.disabled = true;
  try {
    await run();
  } catch {
    state.textContent = why;
  } finally {
    button.disabled = false;
  }
}

const signIn = document.getElementById("sign-in");
signIn?.addEventListener("submit", (e) => {
  e.preventDefault();
  attempt(signIn, signIn.dataset.failed, async () => {
    const asked = await (await post("/sign-in/begin", "{}")).json();
    const got = await navigator.credentials.get({ publicKey: request(asked.publicKey) });
    await post("/sign-in/finish", answer(got));
    location.assign(signIn.dataset.to || "/");
  });
});

const add = document.getElementById("passkey");
add?.addEventListener("submit", (e) => {
  e.preventDefault();
  attempt(add, add.dataset.failed, async () => {
    const asked = await (await post("/passkey/begin", "{}")).json();
    const made = await navigator.credentials.create({ publicKey: request(asked.publicKey) });
    await post("/passkey/finish?label=" + encodeURIComponent(add.elements.label.value), answer(made));
    location.assign(add.dataset.done);
  });
});

// An approval without an assertion is not sent: the button first has the passkey sign the digest that stands on the page.
document.addEventListener("submit", (e) => {
  const button = e.submitter;
  if (!button?.dataset.approve || e.target.elements.assertion.value) return;
  e.preventDefault();
  const form = e.target;
  const state = form.querySelector(".passkey-state");
  attempt(form, state.dataset.failed, async () => {
    const digest = Uint8Array.from(button.dataset.approve.match(/../g), (h) => parseInt(h, 16));
    const got = await navigator.credentials.get({ publicKey: { challenge: digest, userVerification: "required", timeout: 300_000 } });
    form.elements.assertion.value = answer(got);
    button.disabled = false;
    form.requestSubmit(button);
  });
});
