// Two parties on this machine, each a real node with its console, and a browser before them. Everything is said to the nodes as their own
// tools say it, over the socket that only their owner may open.

import { execFileSync, spawn } from "node:child_process";
import fs from "node:fs";
import http from "node:http";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..", "..");

// where pictures of the screens are kept; nowhere if it is not set
export const pictures = process.env.DETENTE_SCREENSHOTS || "";

function freePort() {
  return new Promise((done, fail) => {
    const s = net.createServer();
    s.once("error", fail);
    s.listen(0, "127.0.0.1", () => {
      const { port } = s.address();
      s.close(() => done(port));
    });
  });
}

// line carries what comes to a port on to another, as late as between two capitals: a test that asks too early fails every time, and not on a
// busy machine only. It gives the port, and how it ends.
async function line(to, late = 250) {
  const ends = new Set();
  const server = net.createServer((from) => {
    const on = net.connect(to, "127.0.0.1");
    for (const [a, b] of [[from, on], [on, from]]) {
      ends.add(a);
      a.setNoDelay(true);
      a.on("data", (bytes) => setTimeout(() => b.write(bytes), late));
      a.on("close", () => { ends.delete(a); setTimeout(() => b.destroy(), late); });
      a.on("error", () => {}); // close follows
    }
  });
  await new Promise((done, fail) => { server.once("error", fail); server.listen(0, "127.0.0.1", done); });
  return { port: server.address().port, close: () => { server.close(); for (const s of ends) s.destroy(); } };
}

// until calls look until it gives something.
export async function until(what, look, seconds = 20) {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    let found;
    try {
      found = await look();
    } catch (e) {
      if (Date.now() > end) throw e;
    }
    if (found) return found;
    if (Date.now() > end) throw new Error(`in vain: ${what}`);
    await new Promise((r) => setTimeout(r, 50));
  }
}

class Party {
  constructor(world, id, name, language) {
    Object.assign(this, { world, id, name, language, home: path.join(world.dir, id), key: path.join(world.dir, id + ".key") });
  }

  async start() {
    const [peers, pages] = [await freePort(), await freePort()];
    this.origin = `http://localhost:${pages}`;
    this.line = await line(peers);
    execFileSync(this.world.program, ["--home", this.home, "--key-file", this.key, "init", "--party", this.id, "--name", `en=${this.name}`,
      "--language", this.language, "--listen", `127.0.0.1:${peers}`, "--address", `127.0.0.1:${this.line.port}`, "--roots", "1", "--need", "1"]);
    const config = path.join(this.home, "config.toml");
    const text = fs.readFileSync(config, "utf8").replace(/(\[console\][\s\S]*?\nlisten = )""/, `$1"127.0.0.1:${pages}"`);
    fs.writeFileSync(config, text);
    this.log = fs.openSync(path.join(this.world.dir, this.id + ".log"), "a");
    this.process = spawn(this.world.program, ["--home", this.home, "--key-file", this.key, "serve"], { stdio: ["ignore", this.log, this.log] });
    await until(`${this.id} serves`, () => this.ask("GET", "/v1/status").catch(() => null));
  }

  // ask asks the node as its own terminal does.
  ask(method, url, body) {
    return new Promise((done, fail) => {
      const r = http.request({ socketPath: path.join(this.home, "node.sock"), method, path: url, headers: { "Content-Type": Buffer.isBuffer(body) ? "application/octet-stream" : "application/json" } }, (a) => {
        const parts = [];
        a.on("data", (b) => parts.push(b));
        a.on("end", () => {
          const raw = Buffer.concat(parts);
          if (a.statusCode >= 400) return fail(new Error(`${method} ${url}: ${raw}`));
          done((a.headers["content-type"] || "").includes("json") ? JSON.parse(raw) : raw);
        });
      });
      r.once("error", fail);
      r.end(body === undefined ? undefined : Buffer.isBuffer(body) ? body : JSON.stringify(body));
    });
  }

  async enrol(id, name, language, ...roles) {
    await this.ask("PUT", `/v1/officers/${id}`, { id, name, language, grants: roles.map((role) => ({ post: "*", role })) });
    const { link } = await this.ask("POST", `/v1/officers/${id}/invitation`);
    return link;
  }

  async confirm(other) {
    const file = await other.ask("GET", `/v1/charters/${other.id}/file`);
    const pending = await this.ask("POST", "/v1/charters", file);
    await this.ask("POST", `/v1/charters/${other.id}/confirm`, { words: pending.words.en.join(" ") });
  }

  stop() {
    this.line?.close();
    return new Promise((done) => {
      if (!this.process) return done();
      this.process.once("exit", done);
      this.process.kill("SIGTERM");
    });
  }
}

export class World {
  static async open(channel = {}) {
    const w = new World();
    w.dir = fs.mkdtempSync(path.join(os.tmpdir(), "dc."));
    w.program = process.env.DETENTE_PROGRAM;
    if (!w.program) {
      w.program = path.join(w.dir, "detente");
      execFileSync("go", ["build", "-o", w.program, "./cmd/detente"], { cwd: root, stdio: "inherit" });
    }
    w.north = new Party(w, "xn", "Northland", "en");
    w.south = new Party(w, "xs", "Southland", "ru,ar,en");
    await Promise.all([w.north.start(), w.south.start()]);
    await w.north.confirm(w.south);
    await w.south.confirm(w.north);
    await w.north.ask("POST", "/v1/channels", { name: "nrrc", members: ["xs"], ...channel });
    await until("the proposal", async () => (await w.south.ask("GET", "/v1/channels")).find((c) => c.name === "nrrc"));
    await w.south.ask("POST", "/v1/channels/nrrc/accept", {});
    await until("the channel", async () => (await w.north.ask("GET", "/v1/channels")).find((c) => c.name === "nrrc" && c.established));
    if (pictures) fs.mkdirSync(pictures, { recursive: true });
    w.browser = await chromium.launch({
      executablePath: process.env.DETENTE_BROWSER || "/usr/bin/chromium",
      args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update",
        "--disable-sync", "--autoplay-policy=user-gesture-required"],
    });
    return w;
  }

  async close() {
    await this.browser?.close();
    await Promise.all([this.north?.stop(), this.south?.stop()]);
    fs.rmSync(this.dir, { recursive: true, force: true });
  }

  // sit puts an officer before a browser of his own, with a passkey of his own, and signs him in by his link.
  async sit(party, link, options = {}) {
    const context = await this.browser.newContext({ viewport: { width: 1280, height: 900 }, locale: "en", timezoneId: "UTC", ...options });
    const page = await context.newPage();
    page.setDefaultTimeout(10_000);
    const desk = new Desk(party, context, page);
    await desk.authenticator();
    await desk.signIn(link);
    return desk;
  }
}

// Desk is an officer's browser.
export class Desk {
  constructor(party, context, page) {
    Object.assign(this, { party, context, page, faults: [] });
    page.on("console", (m) => {
      if (m.type() === "error" || m.type() === "warning") this.faults.push(`${page.url()}: ${m.text()}`);
    });
    page.on("pageerror", (e) => this.faults.push(`${page.url()}: ${e}`));
    page.on("dialog", (d) => {
      this.faults.push(`${page.url()}: a dialog: ${d.message()}`);
      d.dismiss();
    });
  }

  async authenticator() {
    const cdp = await this.context.newCDPSession(this.page);
    await cdp.send("WebAuthn.enable");
    await cdp.send("WebAuthn.addVirtualAuthenticator", {
      options: { protocol: "ctap2", transport: "internal", hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true },
    });
  }

  async signIn(link) {
    await this.page.goto(this.party.origin + link);
    await this.page.click("button.first");
    await this.page.waitForURL("**/real/passkey");
    await this.page.click("#passkey button");
    await this.page.waitForURL("**/real/watch").catch(async (e) => { throw new Error(`${e.message} ${this.faults.join("; ")} ${await this.page.textContent("main")}`); });
  }

  go(where) {
    return this.page.goto(this.party.origin + where);
  }

  async picture(name) {
    if (pictures) await this.page.screenshot({ path: path.join(pictures, name + ".png"), fullPage: true });
  }

  // speak chooses a language on the page, as an officer does.
  async speak(language) {
    await Promise.all([this.page.waitForNavigation(), this.page.selectOption("#lang", language)]);
  }
}
