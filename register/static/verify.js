// Verification in the reader's own browser: the program's verifier, compiled to WebAssembly. No file leaves the machine.

const drop = document.getElementById("drop");
const verdict = document.getElementById("verdict");
const phrase = (key) => drop.dataset[key];

let ready; // a promise of the verifier, made when it is first needed

function start() {
  ready ??= (async () => {
    const go = new Go();
    const answer = await fetch("../verifier.wasm");
    if (!answer.ok) throw new Error(String(answer.status));
    const made = await WebAssembly.instantiate(await answer.arrayBuffer(), go.importObject);
    go.run(made.instance);
    return globalThis.detenteVerify;
  })();
  return ready;
}

const paragraph = (text, kind) => {
  const p = document.createElement("p");
  p.className = kind;
  p.textContent = text;
  return p;
};

async function verify(files, trustKeeper) {
  verdict.replaceChildren(paragraph(phrase("working"), "meta"));
  let found;
  try {
    const run = await start();
    const bytes = await Promise.all(files.map(async (f) => new Uint8Array(await f.arrayBuffer())));
    await new Promise((r) => setTimeout(r, 0)); // let the page show that it works
    found = JSON.parse(run(bytes, drop.dataset.lang, trustKeeper));
  } catch (e) {
    verdict.replaceChildren(paragraph(`${phrase("failed")} (${e.message})`, "refused"));
    return;
  }
  const out = [];
  for (const f of found.files ?? []) {
    out.push(paragraph(f.proved ? phrase("proved") : phrase("refused"), f.proved ? "proved" : "refused"));
    const pre = document.createElement("pre");
    pre.tabIndex = 0;
    pre.textContent = f.text;
    out.push(pre);
    if (f.words) {
      out.push(paragraph(phrase("compare"), ""));
      out.push(paragraph(f.words, "code"));
      const yes = document.createElement("button");
      yes.type = "button";
      yes.textContent = phrase("agree");
      yes.addEventListener("click", () => verify(files, f.trust));
      out.push(yes);
    }
  }
  if (found.error) out.push(paragraph(`${phrase("failed")} (${found.error})`, "refused"));
  verdict.replaceChildren(...out);
  verdict.focus();
}

const chosen = drop.querySelector("input[type=file]");
chosen.addEventListener("change", () => verify([...chosen.files], ""));
drop.addEventListener("dragover", (e) => { e.preventDefault(); drop.classList.add("over"); });
drop.addEventListener("dragleave", () => drop.classList.remove("over"));
drop.addEventListener("drop", (e) => {
  e.preventDefault();
  drop.classList.remove("over");
  verify([...e.dataTransfer.files], "");
});
for (const b of drop.querySelectorAll("button[data-bundle]")) {
  b.addEventListener("click", async () => {
    const answer = await fetch(b.dataset.bundle);
    await verify([await answer.blob()], "");
  });
}
drop.hidden = false;
