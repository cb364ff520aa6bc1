// Two parties on this machine, each a real node whose gateway listens. Everything is said to them by the program's own commands.

import { execFileSync, spawn } from "node:child_process";
import fs from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..", "..");

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

// until calls look until it gives something.
export async function until(what, look, seconds = 60) {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    let found, error;
    try {
      found = await look();
    } catch (e) {
      error = e;
    }
    if (found) return found;
    if (Date.now() > end) throw error ?? new Error(`in vain: ${what}`);
    await new Promise((r) => setTimeout(r, 100));
  }
}

class Party {
  constructor(world, id, name) {
    Object.assign(this, { world, id, name, home: path.join(world.dir, id), key: path.join(world.dir, id + ".key") });
  }

  // run is one command of this party; input is what it reads.
  run(args, input = "") {
    return execFileSync(this.world.program, ["--home", this.home, "--key-file", this.key, ...args],
      { encoding: "utf8", input, stdio: ["pipe", "pipe", "pipe"], maxBuffer: 64 << 20 });
  }

  json(...args) {
    return JSON.parse(this.run([...args, "--json"]));
  }

  // start founds the party and serves. What is TLP:CLEAR its rule lets go without a person.
  async start() {
    const [peers, tools] = [await freePort(), await freePort()];
    this.origin = `http://127.0.0.1:${tools}`;
    this.run(["init", "--party", this.id, "--name", `en=${this.name}`, "--language", "en", "--listen", `127.0.0.1:${peers}`,
      "--address", `127.0.0.1:${peers}`, "--roots", "1", "--need", "1"]);
    const config = path.join(this.home, "config.toml");
    const [before, gateway] = fs.readFileSync(config, "utf8").split(/(?=^\[gateway\]$)/m);
    fs.writeFileSync(config, before + gateway.replace('listen = ""', `listen = "127.0.0.1:${tools}"`).replace('release = ""', 'release = "CLEAR"'));
    this.log = fs.openSync(path.join(this.world.dir, this.id + ".log"), "a");
    this.process = spawn(this.world.program, ["--home", this.home, "--key-file", this.key, "serve"], { stdio: ["ignore", this.log, this.log] });
    await until(`${this.id} serves`, () => fetch(this.origin + "/taxii2/")); // the last that it opens
  }

  // pair takes in another party's charter. Its words are the other's to read out; here one script plays both officers.
  pair(other) {
    const file = path.join(this.world.dir, other.id + ".charters");
    other.run(["charter", "export", "-o", file]);
    this.run(["charter", "import", file]);
    const words = other.json("charter", "show").words.en;
    this.run(["charter", "confirm", other.id, ...words]);
  }

  // collection waits for a collection and gives its id.
  async collection(title) {
    return until(title, () => this.json("gateway", "status").collections.find((c) => c.title === title)?.id);
  }

  token(name, ...rights) {
    return this.run(["gateway", "token", "add", name, ...rights]).trim();
  }

  stop() {
    return new Promise((done) => {
      if (!this.process || this.process.exitCode !== null) return done();
      this.process.once("exit", done);
      this.process.kill("SIGTERM");
    });
  }
}

export class World {
  static async open() {
    const w = new World();
    w.dir = fs.mkdtempSync(path.join(os.tmpdir(), "di."));
    w.program = process.env.DETENTE_PROGRAM;
    if (!w.program) {
      w.program = path.join(w.dir, "detente");
      execFileSync("go", ["build", "-o", w.program, "./cmd/detente"], { cwd: root, stdio: "inherit" });
    }
    w.north = new Party(w, "xn", "Northland");
    w.south = new Party(w, "xs", "Southland");
    await Promise.all([w.north.start(), w.south.start()]);
    w.north.pair(w.south);
    w.south.pair(w.north);
    w.north.run(["channel", "propose", "cert", "--with", "xs", "--regime", "incidents/1"]);
    await until("the proposal", () => w.south.run(["channel", "accept", "cert"]) || true);
    await until("the channel", () => w.north.json("channel", "list").find((c) => c.name === "cert" && c.established));
    return w;
  }

  async close() {
    await Promise.all([this.north?.stop(), this.south?.stop()]);
    fs.rmSync(this.dir, { recursive: true, force: true });
  }
}
