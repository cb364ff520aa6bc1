// The open register as anybody meets it: static files behind a plain web server, read and verified in a browser that trusts nobody.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import http from "node:http";
import { createRequire } from "node:module";
import os from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { pictures } from "./world.mjs";

const axe = fs.readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..", "..");
const dir = fs.mkdtempSync(path.join(os.tmpdir(), "dr."));
const site = path.join(dir, "www");
const faults = [];
let program, browser, page, server, origin, slug;

const detente = (...args) => execFileSync(program, ["--home", path.join(dir, "xn"), "--key-file", path.join(dir, "xn.key"), ...args], { encoding: "utf8" });

function verifier() {
  if (process.env.DETENTE_VERIFIER) return process.env.DETENTE_VERIFIER;
  const out = path.join(dir, "verifier.wasm");
  execFileSync("go", ["build", "-trimpath", "-ldflags=-s -w", "-o", out, "./cmd/verifier"], { cwd: root, env: { ...process.env, GOOS: "js", GOARCH: "wasm" } });
  const goroot = execFileSync("go", ["env", "GOROOT"], { encoding: "utf8" }).trim();
  fs.copyFileSync(path.join(goroot, "lib", "wasm", "wasm_exec.js"), path.join(dir, "wasm_exec.js"));
  return out;
}

// serve is a web server that knows nothing.
function serve() {
  const types = { ".html": "text/html; charset=utf-8", ".css": "text/css", ".js": "text/javascript", ".wasm": "application/wasm", ".json": "application/json" };
  server = http.createServer((q, a) => {
    const file = path.join(site, decodeURIComponent(new URL(q.url, "http://x").pathname));
    if (!file.startsWith(site) || !fs.existsSync(file) || fs.statSync(file).isDirectory()) return a.writeHead(404).end();
    a.writeHead(200, { "Content-Type": types[path.extname(file)] ?? "application/octet-stream" });
    fs.createReadStream(file).pipe(a);
  });
  return new Promise((done) => server.listen(0, "127.0.0.1", () => { origin = `http://127.0.0.1:${server.address().port}/`; done(); }));
}

before(async () => {
  program = process.env.DETENTE_PROGRAM;
  if (!program) {
    program = path.join(dir, "detente");
    execFileSync("go", ["build", "-o", program, "./cmd/detente"], { cwd: root });
  }
  detente("init", "--party", "xn", "--name", "en=Northland", "--name", "ru=Северная земля", "--name", "ar=أرض الشمال", "--name", "zh=北国", "--roots", "1", "--need", "1");
  const rules = { version: 1, nature: "political", eligibility: { who: "all" }, entry: { threshold: 1 }, reservations: { regime: "permitted" }, runs: "all", powers: { required: false } };
  const say = (form, ...fields) => JSON.parse(detente("send", "--channel", "public", "--post", "mfa", "--form", form, "-p", "ROUTINE", ...fields, "--json")).id;
  const id = say("instrument-opening", "title.en=Commitment not to strike first", "title.ar=الالتزام بعدم توجيه الضربة الأولى", "title.zh=不首先发动攻击的承诺", "nature=political",
    "kind=declaration", "languages=ar en zh", "texts.en=We shall not be the first.", "texts.zh=我们不会首先发动攻击。", `rules=${JSON.stringify(rules)}`);
  say("act", `instrument=${id}`, "kind=adhere", "date=2026-03-01T00:00:00Z", "texts.en=Northland will not be the first.", "texts.ar=لن تكون أرض الشمال أول من يهاجم.");
  say("act", `instrument=${id}`, "kind=understand", "date=2026-05-01T00:00:00Z", "texts.zh=它将攻击理解为造成物质损害的行为。");
  detente("register", "edition", id, "--post", "mfa");
  fs.writeFileSync(path.join(dir, "parties.json"), JSON.stringify({ xn: { code: "NL", name: { en: "Northland", ar: "أرض الشمال", zh: "北国" }, region: { en: "North", ar: "الشمال", zh: "北方" } } }));
  detente("register", "build", site, "--verifier", verifier(), "--parties", path.join(dir, "parties.json"));
  slug = id.slice(0, 16);
  await serve();
  browser = await chromium.launch({ executablePath: process.env.DETENTE_BROWSER || "/usr/bin/chromium", args: ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run"] });
  page = await (await browser.newContext({ viewport: { width: 1100, height: 900 }, bypassCSP: false })).newPage();
  page.setDefaultTimeout(30_000);
  page.on("console", (m) => { if (["error", "warning"].includes(m.type())) faults.push(`${page.url()}: ${m.text()}`); });
  page.on("pageerror", (e) => faults.push(`${page.url()}: ${e}`));
  if (pictures) fs.mkdirSync(pictures, { recursive: true });
}, { timeout: 120_000 });

after(async () => {
  await browser?.close();
  server?.close();
  fs.rmSync(dir, { recursive: true, force: true });
});

const picture = async (name) => { if (pictures) await page.screenshot({ path: path.join(pictures, name + ".png"), fullPage: true }); };

// clean holds the page against the rules of accessibility. They are put in beside the page's own policy, which lets nothing in.
async function clean(where) {
  const cdp = await page.context().newCDPSession(page);
  const found = await cdp.send("Runtime.evaluate", { expression: `${axe}; axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] }).then((f) => JSON.stringify(f.violations))`, awaitPromise: true, returnByValue: true });
  const violations = JSON.parse(found.result.value);
  assert.deepEqual(violations.map((v) => `${where}: ${v.id}: ${v.help}: ${v.nodes.map((n) => n.html.slice(0, 200)).join(" | ")}`), []);
}

test("every kind of page is accessible in English, Arabic and Chinese", async () => {
  await page.goto(origin + "index.html");
  await clean("index.html");
  for (const lang of ["en", "ar", "zh"]) {
    for (const name of ["index.html", "about.html", "verify.html", "p/xn.html", ...["index", "text", "acts-1", "relations-1-1", "history-1", "data"].map((n) => `i/${slug}/${n}.html`)]) {
      await page.goto(`${origin}${lang}/${name}`);
      await clean(`${lang}/${name}`);
      if (/^i|verify/.test(name)) await picture(`register-${lang}-${path.basename(name, ".html")}`);
    }
  }
  assert.deepEqual(faults, []);
});

test("the picture shows any day", async () => {
  await page.goto(`${origin}en/i/${slug}/index.html`);
  assert.equal(await page.getAttribute(".tile", "data-status"), "in-force");
  await page.fill(".time input[type=date]", "2026-01-15");
  await page.dispatchEvent(".time input[type=date]", "change");
  assert.equal(await page.getAttribute(".tile", "data-status"), "none");
  assert.match(await page.textContent("tbody tr"), /no place/);
  await page.focus("#slide");
  await page.keyboard.press("End");
  assert.equal(await page.getAttribute(".tile", "data-status"), "in-force");
  assert.deepEqual(faults, []);
});

test("without scripts the same stands in tables", async () => {
  const plain = await (await browser.newContext({ javaScriptEnabled: false })).newPage();
  await plain.goto(`${origin}en/i/${slug}/index.html`);
  assert.match(await plain.textContent("tbody tr"), /Northland.*bound.*2026-03-01/s);
  assert.equal(await plain.isVisible(".time"), false);
  await plain.goto(`${origin}en/verify.html`);
  assert.match(await plain.textContent("main"), /needs scripts/);
  await plain.context().close();
});

test("a bundle is verified by the program's own reader, and the one who changed it is found out", async () => {
  await page.goto(`${origin}en/verify.html`);
  await page.click("button[data-bundle]");
  await page.waitForSelector("#verdict .refused");
  assert.match(await page.textContent("#verdict"), /Ask the keeper by another way/);
  await clean("verify.html with words to compare");
  await picture("register-verify-words");
  await page.click("#verdict button");
  await page.waitForSelector("#verdict .proved");
  assert.match(await page.textContent("#verdict pre"), /PROVED {2}an instrument of the open register, 3 acts/);
  await picture("register-verify-proved");
  detente("charter", "export", "-o", path.join(dir, "xn.charters"));
  const bundle = fs.readFileSync(path.join(site, "bundles", slug + ".detente-register"));
  const at = bundle.indexOf("Northland will not be the first.");
  assert.ok(at > 0);
  bundle.write("Northland will yet be the first.", at);
  const changed = path.join(dir, "changed.detente-register");
  fs.writeFileSync(changed, bundle);
  await page.setInputFiles("#files", [changed, path.join(dir, "xn.charters")]);
  await page.waitForSelector("#verdict .refused");
  assert.match(await page.textContent("#verdict pre"), /changed: [0-9a-f]{16} .*of xn, adhere, 2026-03-01/);
  await clean("verify.html with a verdict");
  await picture("register-verify-changed");
  assert.deepEqual(faults, []);
});
