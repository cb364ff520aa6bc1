// The command line as a person meets it: what it prints, how it ends, what hostile files do to it.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { decode as decodeOther } from "cbor2";
import { decode, encode, Refusal } from "./canonical.mjs";
import { fingerprint, fingerprintWords, parseCharter } from "./charter.mjs";
import { sha256, utf8ToBytes } from "./key.mjs";
import * as make from "./producer.mjs";
import { decodeFile, judgeProof, parseProof, PROOF_LIMIT } from "./proof.mjs";
import { dateTimeGroup } from "./report.mjs";

const VERIFY = fileURLToPath(new URL("verify.mjs", import.meta.url));
const directory = mkdtempSync(join(tmpdir(), "detente-verify-"));
after(() => rmSync(directory, { recursive: true }));

const alpha = make.makeParty("alpha");
const bravo = make.makeParty("bravo");
const alpha1 = make.makeCharter(alpha);
const bravo1 = make.makeCharter(bravo);
const link = make.makeLink(["alpha", alpha1], ["bravo", bravo1]);
const statement = make.makeStatement(alpha, link, {
  fields: { text: "Do you see\nthe same? \u202e\u001b[2Jدویاب", urgent: true, count: 2n ** 60n, seen: [new Map([["at", make.NOON]]), new Uint8Array([1, 255])], ["__proto__"]: 1 },
  header: { 11: "TLP:AMBER", 13: "deputy", 7: [sha256(link)] },
});
const feed = new make.Feed(alpha, link).append(utf8ToBytes("one before"), statement);
const head = make.headOf(feed);
const note = make.makeNote(head, [...make.authorLines(head, alpha), ...make.mirrorLines(head, bravo, make.NOON + 75)]);
const proof = make.makeProof({ channel: link, feed, index: 1, note, charters: [alpha1, bravo1] });

const file = (name, bytes) => {
  const path = join(directory, name);
  writeFileSync(path, bytes);
  return path;
};
const trust = file("charters", make.makeCharterFile(alpha1, bravo1));
const proved = file("a.detente-proof", proof);

function run(...args) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [VERIFY, ...args], { encoding: "utf8", timeout: 60_000 });
  return { status, stdout, stderr };
}

test("a proof is told to a person", () => {
  const { status, stdout } = run(proved, trust);
  assert.equal(stdout, `\
PROVED  E2: held by every party it is addressed to
  from        alpha/duty, drafted by duty-officer, released by deputy
  to          bravo
  dated       271200Z NOV 26 (the issuer's clock)
  form        inquiry version 1
  precedence  P PRIORITY
  plane       real
  marking     TLP:AMBER
  language    en
  says${"        "}
    seen:
      -
        at: 1795780800
      - h'01ff'
    text: Do you see
      the same? \\u202e\\u001b[2Jدویاب
    count: 1152921504606846976
    urgent: true
    __proto__: 1
  statement   STATEMENT
  refers to   CHANNEL
  channel     CHANNEL
  position    index 1 of 2 in detente.v1/CHANNEL/alpha/real/P/0
  received    by bravo at 271201Z NOV 26 (its mirror, Ed25519)
  received    by bravo at 271201Z NOV 26 (its mirror, ML-DSA-44)
  signed      statement by alpha/duty, Ed25519, key KEY
  signed      checkpoint by alpha, Ed25519, key KEY
  signed      checkpoint by alpha, ML-DSA-44, key KEY
  charter     version 1 of alpha
`.replace("STATEMENT", Buffer.from(sha256(statement)).toString("hex"))
    .replaceAll("CHANNEL", Buffer.from(sha256(link)).toString("hex"))
    .replace("KEY", Buffer.from(alpha.duty.id).toString("hex"))
    .replace("KEY", Buffer.from(alpha.checkpoint.id).toString("hex"))
    .replace("KEY", Buffer.from(alpha.checkpointPQ.id).toString("hex")));
  assert.equal(status, 0);
});

test("the same to a machine", () => {
  const { status, stdout } = run("--json", trust, proved);
  const object = JSON.parse(stdout);
  assert.equal(status, 0);
  assert.deepEqual([object.verdict, object.reason, object.level], ["proved", null, "E2"]);
  assert.equal(object.statement.fields.text, "Do you see\nthe same? \u202e\u001b[2Jدویاب");
  assert.equal(Object.getOwnPropertyDescriptor(object.statement.fields, "__proto__").value, 1);
  assert.equal(object.position.index, 1);
  assert.deepEqual(object.receipts.map(({ party, timeGroup }) => `${party} ${timeGroup}`), ["bravo 271201Z NOV 26", "bravo 271201Z NOV 26"]);
  assert.equal(object.keys.length, 3);
  assert.ok(!/[\u0000-\u0009\u001b\u202e]/.test(stdout), "nothing that moves a cursor");
});

test("a refusal is told with its reason", () => {
  const refused = run(proved, file("other", make.makeCharterFile(bravo1)));
  assert.equal(refused.stdout, "REFUSED  untrusted\n  because     no trusted charter of alpha was given\n");
  assert.equal(refused.status, 1);
  assert.equal(JSON.parse(run("--json", proved).stdout).reason, "untrusted");
});

test("a fork is told, and charters alone are told by their fingerprints", () => {
  const other = new make.Feed(alpha, link).append(utf8ToBytes("another"));
  const noteOf = (f, size) => make.makeNote(make.headOf(f, size), make.authorLines(make.headOf(f, size), alpha));
  const fork = make.makeFork({ feed, smaller: noteOf(other, 1), larger: noteOf(feed, 2), path: feed.consistency(1, 2), charters: [alpha1] });
  const convicted = run(file("a.detente-fork", fork), trust);
  assert.match(convicted.stdout, /^PROVED  alpha has signed two histories of one feed\n/);
  assert.equal(convicted.status, 0);
  const revoked = [alpha.checkpoint, alpha.checkpointPQ].map(({ id }) => new Map([["key", id], ["since", make.NOON], ["reason", "stolen"]]));
  const withdrawal = make.makeNextCharter({ ...make.makeParty("alpha", 2), roots: alpha.roots }, alpha1, { revoked });
  const doubtful = run(file("b.detente-fork", make.makeFork({ feed, smaller: noteOf(other, 1), larger: noteOf(feed, 2), path: feed.consistency(1, 2), charters: [withdrawal] })), trust);
  assert.match(doubtful.stdout, /^PROVED  withdrawn keys of alpha have signed one of two histories of one feed\n(.*\n)*.*, withdrawn since 271200Z NOV 26\n.*\n {2}remark .* or a thief\n$/);
  const charters = run(trust);
  assert.match(charters.stdout, /\n  alpha       version 1 of 261200Z NOV 26, fingerprint ([0-9a-f]{4} ?){8}\n/);
  assert.equal(charters.status, 0);
  const list = (name) => Array.from({ length: 256 }, (_, i) => `${name}${i}`);
  const lists = file("lists.json", JSON.stringify([{ language: "en", even: list("even"), odd: list("odd") }]));
  assert.match(run("--words", lists, trust).stdout, /\n {14}en: (even\d+ odd\d+ ?){8}\n/);
  assert.equal(run("--words", trust, trust).status, 2);
});

test("wrong use is told apart from refusal", () => {
  for (const args of [[], ["--loud", proved], [join(directory, "missing")], [directory]]) {
    const { status, stdout, stderr } = run(...args);
    assert.deepEqual([status, stdout], [2, ""]);
    assert.match(stderr, /^verify.mjs: .*\n\nusage: /);
  }
  assert.equal(run("--help").status, 0);
});

test("hostile files are refused, soon and without a trace", () => {
  const head = (count) => new Uint8Array([0x9a, count >> 24, count >> 16, count >> 8, count].map((b) => b & 255));
  const most = PROOF_LIMIT - 5;
  const junk = encode(new Map([["type", "detente-proof.v1"]]));
  const lines = "— a AAAAAAA=\n".repeat(200_000);
  for (const [name, bytes, reason] of [
    ["empty", new Uint8Array(), "truncated"],
    ["a text", utf8ToBytes("-----BEGIN"), "trailing"],
    ["deep", new Uint8Array(PROOF_LIMIT).fill(0x81), "depth"],
    ["wide", Buffer.concat([head(most), new Uint8Array(most)]), "too-large"],
    ["large", new Uint8Array(PROOF_LIMIT + 1), "too-large"],
    ["bare", junk, "proof-shape"],
    ["a note of many lines", make.makeProof({ channel: link, feed, index: 1, note: make.makeNote(make.headOf(feed), [lines]), charters: [] }), "note"],
    ["many charters", make.makeCharterFile(...Array(3000).fill(new Uint8Array())), "shape"],
  ]) {
    const { status, stdout, stderr } = run("--json", trust, file(name, bytes));
    assert.equal(stderr, "", name);
    assert.equal(JSON.parse(stdout).reason, reason, name);
    assert.equal(status, 1, name);
  }
});

// A small generator, so that a failure can be run again.
function* random(seed) {
  for (let x = seed; ; ) {
    x = (Math.imul(x, 1664525) + 1013904223) >>> 0;
    yield x >>> 8;
  }
}

test("a changed proof is refused for a reason, or proves the same", () => {
  const trusted = [alpha1, bravo1].map(parseCharter);
  const numbers = random(1);
  const next = (below) => numbers.next().value % below;
  for (let i = 0; i < 400; i++) {
    const bytes = proof.slice(0, next(8) === 0 ? next(proof.length) : proof.length);
    for (let flips = 1 + next(2); flips > 0; flips--) bytes[next(bytes.length)] ^= 1 << next(8);
    try {
      const verdict = judgeProof(parseProof(decodeFile(bytes)), trusted);
      assert.deepEqual(verdict.statement.id, sha256(statement));
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      assert.match(error.code, /^[a-z-]+$/);
    }
  }
});

test("what is read as canonical is written again as it was, and another reader reads the same", () => {
  const numbers = random(2);
  const heads = [0x00, 0x18, 0x20, 0x38, 0x40, 0x41, 0x60, 0x61, 0x80, 0x81, 0x82, 0xa0, 0xa1, 0xa2, 0xf4, 0xf5, 0xf6, 0xd8, 0x1b, 0x9f];
  let read = 0;
  for (let i = 0; i < 20_000; i++) {
    const bytes = Uint8Array.from({ length: 1 + (i % 12) }, () => (numbers.next().value % 3 === 0 ? numbers.next().value & 255 : heads[numbers.next().value % heads.length]));
    try {
      const value = decode(bytes, 64);
      read++;
      assert.deepEqual(encode(value), bytes);
      assert.deepEqual(decodeOther(bytes, { preferMap: true }), value);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
    }
  }
  assert.ok(read > 500, `${read} were canonical`);
});

test("times are said as date-time groups", () => {
  for (const [seconds, group] of [[0, "010000Z JAN 1970"], [1795443300, "231415Z NOV 26"], [253402300799, "312359Z DEC 9999"], [2n ** 63n - 1n, "9223372036854775807 s"]]) {
    assert.equal(dateTimeGroup(seconds), group);
  }
});

test("a fingerprint is spoken in words from two lists in turn", () => {
  const lists = ["even", "odd"].map((list) => Array.from({ length: 256 }, (_, i) => `${list}${i}`));
  const bytes = fingerprint(parseCharter(alpha1));
  assert.deepEqual(fingerprintWords(bytes, lists), [...bytes].map((byte, i) => `${i % 2 ? "odd" : "even"}${byte}`));
  assert.equal(bytes.length, 16);
});
