// Two parties talk, one of them proves it to a stranger, and everything that could be wrong with the proof is tried.
import assert from "node:assert/strict";
import { test } from "node:test";
import { demand, encode, Refusal } from "./canonical.mjs";
import { isCharterFile, parseCharterFile } from "./charter.mjs";
import { ED25519, hex, ML_DSA_65, sha256 } from "./key.mjs";
import * as make from "./producer.mjs";
import { decodeFile, judgeFork, judgeProof, kindOf, parseFork, parseProof } from "./proof.mjs";

const { NOON } = make;
const alpha = make.makeParty("alpha");
const alphaNew = { ...make.makeParty("alpha", 2), roots: alpha.roots };
const bravo = make.makeParty("bravo");
const charlie = make.makeParty("charlie");
const alpha1 = make.makeCharter(alpha);
const alpha2 = make.makeNextCharter(alphaNew, alpha1);
const bravo1 = make.makeCharter(bravo);
const charlie1 = make.makeCharter(charlie);
const link = make.makeLink(["alpha", alpha1], ["bravo", bravo1]);

/** The verdict of a stranger who trusts these charters. */
function judge(bytes, ...trusted) {
  const file = decodeFile(make.makeCharterFile(...trusted));
  demand(isCharterFile(file), "charter", "not a charter file");
  const value = decodeFile(bytes);
  const charters = parseCharterFile(file);
  return kindOf(value) === "proof" ? judgeProof(parseProof(value), charters) : judgeFork(parseFork(value), charters);
}

function refuses(code, bytes, ...trusted) {
  assert.throws(() => judge(bytes, ...trusted), (error) => {
    if (!(error instanceof Refusal)) throw error;
    assert.equal(error.code, code, error.message);
    return true;
  });
}

/** A feed of alpha of `before` other statements, the one proved, and `after` others; the head signed and received. */
function world({ before = 2, after = 3, channel = link, statement = make.makeStatement(alpha, channel), author = alpha, lines = [], feed: names, ...rest } = {}) {
  const filler = (i) => new TextEncoder().encode(`entry ${i}`);
  const feed = new make.Feed(alpha, channel, names);
  feed.append(...Array.from({ length: before }, (_, i) => filler(i)), statement, ...Array.from({ length: after }, (_, i) => filler(before + i)));
  const head = make.headOf(feed);
  const note = make.makeNote(head, [...make.authorLines(head, author), ...lines.flatMap((line) => line(head))]);
  return { channel, feed, head, index: before, note, charters: [alpha1, bravo1], ...rest };
}

const proofOf = (options) => make.makeProof(world(options));
const received = (keys, time = NOON + 60) => (head) => make.mirrorLines(head, keys, time);

test("what bravo received is proved to whoever trusts both charters", () => {
  const verdict = judge(proofOf({ lines: [received(bravo)] }), alpha1, bravo1);
  assert.equal(verdict.level, "E2");
  assert.equal(verdict.statement.issuer, "alpha/duty");
  assert.deepEqual(verdict.receipts.map(({ party, algorithm, time }) => [party, algorithm, Number(time)]), [
    ["bravo", "Ed25519", NOON + 60], ["bravo", "ML-DSA-44", NOON + 60],
  ]);
  assert.equal(verdict.position.index, 2n);
  assert.equal(verdict.position.size, 6n);
});

test("a receipt counts no more than the trust in the charter of who gave it", () => {
  const bytes = proofOf({ lines: [received(bravo)] });
  const verdict = judge(bytes, alpha1);
  assert.equal(verdict.level, "E1");
  assert.deepEqual(verdict.receipts, []);
  assert.match(verdict.remarks[0], /bravo cosigned, but no trusted charter/);
  refuses("untrusted", bytes, bravo1);
});

test("a false receipt does not count, and does no harm", () => {
  const verdict = judge(proofOf({ lines: [(head) => make.mirrorLines({ ...head, size: 5 }, bravo, NOON)] }), alpha1, bravo1);
  assert.equal(verdict.level, "E1");
  assert.match(verdict.remarks.join(), /does not verify/);
});

test("a stranger's cosignature is passed over", () => {
  const verdict = judge(proofOf({ lines: [received(charlie), received(bravo)] }), alpha1, bravo1, charlie1);
  assert.deepEqual(new Set(verdict.receipts.map(({ party }) => party)), new Set(["bravo"]));
});

test("the statement is where the proof says, at either end of a feed and alone in it", () => {
  for (const [before, after] of [[0, 0], [0, 6], [6, 0]]) {
    const { position } = judge(proofOf({ before, after }), alpha1);
    assert.deepEqual([position.index, position.size], [BigInt(before), BigInt(before + after + 1)]);
  }
});

test("a proof of another place, tree or statement is refused", () => {
  const here = world();
  const change = (fields) => make.makeProof({ ...here, change: fields });
  refuses("not-included", change({ index: 3 }), alpha1);
  refuses("not-included", change({ index: 6 }), alpha1);
  refuses("not-included", change({ index: 2n ** 63n - 1n }), alpha1);
  refuses("not-included", change({ path: [] }), alpha1);
  refuses("not-included", change({ path: [...here.feed.inclusion(2), sha256(link)] }), alpha1);
  refuses("not-included", change({ statement: make.makeStatement(alpha, link, { fields: { text: "All is lost." } }) }), alpha1);
});

test("a checkpoint that the issuer did not sign is refused", () => {
  refuses("checkpoint-signature", proofOf({ author: bravo }), alpha1);
  refuses("checkpoint-signature", proofOf({ author: { ...alpha, checkpointPQ: { ...alpha.checkpointPQ, sign: () => new Uint8Array(2420) } } }), alpha1);
  const { head, ...rest } = world();
  const other = { ...head, origin: head.origin.replace("/P/", "/R/") };
  refuses("origin", make.makeProof({ ...rest, change: { checkpoint: make.makeNote(other, make.authorLines(other, alpha)) } }), alpha1);
});

test("a checkpoint may bear the Ed25519 signature alone", () => {
  const { head, ...rest } = world();
  const checkpoint = make.makeNote(head, make.authorLines(head, alpha).slice(0, 1));
  assert.equal(judge(make.makeProof({ ...rest, change: { checkpoint } }), alpha1).checkpointSigned.length, 1);
  refuses("checkpoint-signature", make.makeProof({ ...rest, change: { checkpoint: make.makeNote(head, make.authorLines(head, alpha).slice(1)) } }), alpha1);
});

test("a malformed note is refused", () => {
  const here = world();
  for (const checkpoint of [
    "", "\n\n", here.note.slice(0, -1), here.note.replace("\n6\n", "\n06\n"), here.note.replace("\n6\n", "\n6\nmore\n"), here.note.replace("\n6\n", "\n9223372036854775808\n"),
    here.note.replace("— ", "- "), `${here.note}x\n`, `${here.note}— a+b AAAAAAA=\n`, `${here.note}— a AAAA\n`, `${here.note}— a AAAAAAB=\n`, here.note.replace("\n6\n", "\n6\r\n"),
    here.note.split("\n\n")[0],
  ]) refuses("note", make.makeProof({ ...here, change: { checkpoint } }), alpha1);
});

test("a statement of another feed is refused", () => {
  refuses("wrong-feed", proofOf({ statement: make.makeStatement(alpha, link, { header: { 2: "test" } }) }), alpha1);
  refuses("wrong-feed", proofOf({ statement: make.makeStatement(alpha, link, { header: { 3: "Z" } }) }), alpha1);
  refuses("wrong-feed", proofOf({ statement: make.makeStatement(alpha, bravo1) }), alpha1);
  refuses("not-issuer", proofOf({ statement: make.makeStatement(bravo, link) }), alpha1);
  refuses("wrong-feed", make.makeProof({ ...world(), change: { channel: make.makeLink(["alpha", alpha1], ["charlie", charlie1]) } }), alpha1);
  refuses("channel", make.makeProof({ ...world(), change: { channel: make.makeLink(["alpha", alpha1]) } }), alpha1);
});

test("only the post's keys for the plane may sign", () => {
  refuses("unknown-key", proofOf({ statement: make.makeStatement(alpha, link, { signers: [alpha.drill] }) }), alpha1);
  refuses("unknown-key", proofOf({ statement: make.makeStatement(alpha, link, { signers: [alpha.duty, bravo.duty] }) }), alpha1);
  refuses("unknown-key", proofOf({ statement: make.makeStatement(alpha, link, { claims: { 1: "alpha/chief" } }) }), alpha1);
  const forged = { ...alpha.duty, sign: () => new Uint8Array(64) };
  refuses("bad-signature", proofOf({ statement: make.makeStatement(alpha, link, { signers: [forged] }) }), alpha1);
  const exercise = make.makeStatement(alpha, link, { header: { 2: "exercise" }, signers: [alpha.drill] });
  assert.equal(judge(proofOf({ statement: exercise, feed: { plane: "exercise" } }), alpha1).statement.plane, "exercise");
});

test("a channel's demands on signatures, posts and audience are met", () => {
  const common = (change = {}) => make.makeChannel(
    { kind: "common", name: "border", open: false, nonce: new Uint8Array(16), regime: ["communications", 1, sha256(link)], ...change },
    [["alpha", alpha1], ["bravo", bravo1], ["charlie", charlie1]]);
  const on = (channel, options) => proofOf({ channel, statement: make.makeStatement(alpha, channel, options), lines: [received(bravo)] });
  const both = common({ signatures: [ED25519, ML_DSA_65] });
  refuses("signatures-missing", on(both), alpha1);
  assert.equal(judge(on(both, { signers: [alpha.duty, alpha.dutyPQ] }), alpha1).keys.length, 2);
  refuses("signatures-missing", on(common({ also: new Map([["inquiry", [ML_DSA_65]]]) })), alpha1);
  refuses("not-allowed-post", on(common({ posts: ["chief"] })), alpha1);
  refuses("wrong-audience", on(common(), { to: "delta/duty" }), alpha1);
  assert.equal(judge(on(common(), { to: "bravo/duty" }), alpha1, bravo1).level, "E2");
  assert.equal(judge(on(common(), { to: "*" }), alpha1, bravo1).level, "E1", "charlie has not received");
});

test("the public channel has nobody else to receive", () => {
  const channel = make.makeChannel({ kind: "public", name: "public", open: true, regime: ["public", 1] }, [["alpha", alpha1]]);
  assert.equal(judge(proofOf({ channel, statement: make.makeStatement(alpha, channel, { to: "*" }) }), alpha1).level, "E1");
});

test("a charter in the proof counts when a chain links it to a trusted one", () => {
  const statement = make.makeStatement(alphaNew, link, { header: { 14: 2 } });
  const under2 = (charters, author = alphaNew) => proofOf({ statement, after: 0, author, charters });
  assert.equal(judge(under2([alpha2]), alpha1).chain.newest.version, 2, "up, by the approval of version 1's roots");
  refuses("charter-unknown", under2([]), alpha1);
  refuses("checkpoint-signature", under2([alpha2], alpha), alpha1);

  const usurper = { ...alphaNew, roots: bravo.roots };
  refuses("charter-unknown", under2([make.makeNextCharter(usurper, alpha1)]), alpha1);
  refuses("charter-unknown", under2([make.makeNextCharter(alphaNew, bravo1)]), alpha1);
  const third = make.makeNextCharter(alphaNew, alpha2, { version: 3 });
  refuses("charter-unknown", under2([third]), alpha1);
  assert.equal(judge(under2([third, alpha2]), alpha1).chain.newest.version, 3);
  refuses("chain", under2([alpha2, make.makeNextCharter(alphaNew, alpha1, { issued: NOON })]), alpha1);

  const old = proofOf({ charters: [alpha1], after: 0 });
  refuses("chain", proofOf({ charters: [] }), alpha2);
  refuses("withdrawn", old, alpha2);
});

test("trusted charters that contradict one another are refused", () => {
  refuses("chain", proofOf(), alpha1, make.makeCharter(alpha, { issued: NOON }));
  refuses("not-approved", proofOf(), alpha1, make.makeNextCharter({ ...alphaNew, roots: bravo.roots }, alpha1));
  refuses("chain", proofOf(), alpha1, make.makeNextCharter(alphaNew, bravo1));
});

test("a trusted charter of another alpha than the channel's is not trust in this one", () => {
  const other = make.makeCharter({ ...alpha, roots: charlie.roots });
  refuses("untrusted", proofOf({ charters: [] }), other);
});

test("a withdrawn key needs an adoption at a later place", () => {
  const feed = new make.Feed(alpha, link);
  const old = make.makeStatement(alpha, link);
  const adopting = make.makeStatement(alphaNew, link, { header: { 14: 2 } });
  feed.append(old, old, adopting, adopting);
  const head = make.headOf(feed);
  const note = make.makeNote(head, make.authorLines(head, alphaNew));
  const proof = (index, adoptions) => make.makeProof({ channel: link, feed, index, note, charters: [alpha1, alpha2], adoptions });
  refuses("withdrawn", proof(1), alpha1);
  refuses("withdrawn", proof(1, [0]), alpha1);
  refuses("withdrawn", proof(0, [1]), alpha1);
  assert.equal(judge(proof(1, [2]), alpha1).level, "E1");
  assert.equal(judge(proof(2), alpha1).level, "E1", "written under the new charter");

  refuses("proof-shape", proof(1, [2, 3]), alpha1);
});

test("a thief of the old keys cannot pass off a copy of a genuine entry as his adoption", () => {
  const forgery = make.makeStatement(alpha, link, { fields: { text: "We attack." } });
  const genuine = make.makeStatement(alphaNew, link, { header: { 14: 2 } });
  const feed = new make.Feed(alpha, link).append(forgery, genuine);
  const head = make.headOf(feed);
  const proof = (charters, author) =>
    make.makeProof({ channel: link, feed, index: 0, note: make.makeNote(head, make.authorLines(head, author)), charters, adoptions: [1] });
  refuses("withdrawn", proof([alpha1, alpha2], alpha), alpha1);

  // Version 2 still has the checkpoint keys that were stolen; version 3 withdraws them.
  const halfway = { ...alphaNew, checkpoint: alpha.checkpoint, checkpointPQ: alpha.checkpointPQ };
  const second = make.makeNextCharter(halfway, alpha1);
  const revoked = [new Map([["key", alpha.checkpoint.id], ["since", NOON], ["reason", "stolen"]])];
  const third = make.makeNextCharter(alphaNew, second, { version: 3, revoked });
  refuses("withdrawn", proof([alpha1, second, third], alpha), alpha1);
  assert.equal(judge(proof([alpha1, second, third], alphaNew), alpha1).level, "E1", "what the party itself has signed is no thief's");
});

test("a payload that is no map is the form's to refuse", () => {
  const statement = make.makeStatement(alpha, link, { payload: encode(1) });
  assert.equal(judge(proofOf({ statement }), alpha1).statement.fields, 1);
});

test("a note of many cosignatures is read, and a fork object over 1 MiB is not", () => {
  const stranger = `— example.org/witness ${"AAAA".repeat(900)}\n`;
  assert.equal(judge(proofOf({ lines: [() => Array(200).fill(stranger), received(bravo)] }), alpha1, bravo1).level, "E2");
  refuses("note", proofOf({ lines: [() => Array(300).fill(stranger)] }), alpha1);
  const feed = new make.Feed(alpha, link).append(new Uint8Array([1]));
  const note = make.makeNote(make.headOf(feed), [...make.authorLines(make.headOf(feed), alpha), ...Array(150).fill(stranger)]);
  refuses("too-large", make.makeFork({ feed, smaller: note, larger: note, path: [], charters: [] }), alpha1);
});

test("a revoked mirror key counts only for what it signed before", () => {
  const bravoNew = { ...make.makeParty("bravo", 2), roots: bravo.roots };
  const revoked = [new Map([["key", bravo.mirror.id], ["since", NOON + 100], ["reason", "stolen"]])];
  const bravo2 = make.makeNextCharter(bravoNew, bravo1, { revoked });
  const at = (time) => judge(proofOf({ lines: [received(bravo, time)], charters: [bravo1, bravo2] }), alpha1, bravo1);
  assert.deepEqual(at(NOON + 99).receipts.map(({ algorithm }) => algorithm), ["Ed25519", "ML-DSA-44"]);
  const late = at(NOON + 100);
  assert.deepEqual(late.receipts.map(({ algorithm }) => algorithm), ["ML-DSA-44"], "the other key is not revoked");
  assert.match(late.remarks[0], /not before its key was revoked/);
});

test("a charter says what section 5 prescribes, or is refused", () => {
  const charterWith = (change) => {
    const fields = make.charterFields(alpha);
    change(fields);
    return make.signCharter(fields, [alpha.roots[0]]);
  };
  const set = (name, value) => (fields) => fields.set(name, value);
  const node = (name, value) => (fields) => fields.get("node").set(name, value);
  const post = (name, value) => (fields) => fields.get("posts")[0].set(name, value);
  for (const [code, change] of [
    ["charter", (fields) => fields.delete("routes")],
    ["charter", set("extra", 1)],
    ["charter", set("party", "Alpha")],
    ["charter", set("version", 0)],
    ["charter", set("version", 2)],
    ["charter", set("previous", sha256(link))],
    ["charter", set("issued", 253402300800)],
    ["charter", set("name", new Map([["en", 1]]))],
    ["charter", set("roots", new Map([["need", 3], ["roots", alpha.roots.map((key) => [key.public])]]))],
    ["charter", set("roots", new Map([["need", 0], ["roots", []]]))],
    ["charter", post("may", ["rule"])],
    ["charter", post("post", "")],
    ["charter", post("keys", [["exercise", alpha.drill.public], ["real", alpha.duty.public]])],
    ["charter", (fields) => fields.get("posts").push(fields.get("posts")[0])],
    ["charter", node("mirror", alpha.checkpoint.public)],
    ["charter", node("mirror", alpha.dutyPQ.public)],
    ["charter", node("mirror", [ED25519, new Uint8Array(31)])],
    ["charter", node("mirror", [ED25519, new Uint8Array(32)])],
    ["charter", node("sealing", [0x647a, new Uint8Array(1215)])],
    ["charter", set("revoked", [new Map([["key", new Uint8Array(15)], ["since", 1], ["reason", ""]])])],
    ["not-approved", (fields) => fields.get("roots").set("need", 2)],
    ["charter", set("revoked", [])],
    ["charter", set("name", new Map([["en", "Alpha \u202e"]]))],
  ]) refuses(code, proofOf(), charterWith(change));
  refuses("unknown-key", proofOf(), make.signCharter(make.charterFields(alpha), [alpha.roots[0], alpha.duty]));
});

test("two histories of one feed convict", () => {
  const statement = (i) => new TextEncoder().encode(`statement ${i}`);
  const entries = Array.from({ length: 9 }, (_, i) => statement(i));
  const told = new make.Feed(alpha, link).append(...entries);
  const other = new make.Feed(alpha, link).append(statement("other"), ...entries.slice(1));
  const note = (feed, size, author = alpha) => make.makeNote(make.headOf(feed, size), make.authorLines(make.headOf(feed, size), author).slice(0, 1));
  const fork = (m, n, change = {}) => make.makeFork({
    feed: told, smaller: note(other, m), larger: note(told, n), path: m === n ? [] : told.consistency(m, n), charters: [alpha1], ...change,
  });
  for (const [m, n] of [[1, 1], [1, 2], [4, 9], [6, 8], [9, 9]]) {
    assert.equal(judge(fork(m, n), alpha1).feed.party, "alpha", `${m} and ${n}`);
    refuses("no-fork", fork(m, n, { smaller: note(told, m) }), alpha1);
    if (m < n) refuses("no-fork", fork(m, n, { path: other.consistency(m, n) }), alpha1);
  }
  refuses("no-fork", fork(0, 5, { path: [] }), alpha1);
  refuses("no-fork", fork(9, 9, { path: [sha256(link)] }), alpha1);
  assert.equal(judge(fork(9, 9), alpha1).doubtful, false);
  const revoked = [new Map([["key", alpha.checkpoint.id], ["since", NOON], ["reason", "stolen"]])];
  const doubtful = judge(fork(9, 9, { charters: [alpha1, make.makeNextCharter(alphaNew, alpha1, { revoked })] }), alpha1);
  assert.equal(doubtful.doubtful, true);
  assert.deepEqual(doubtful.checkpointSigned.map(({ withdrawn }) => withdrawn), [NOON]);
  refuses("no-fork", fork(3, 7, { smaller: note(told, 7), larger: note(other, 3) }), alpha1);
  refuses("checkpoint-signature", fork(3, 7, { smaller: note(other, 3, bravo) }), alpha1);
  refuses("untrusted", fork(3, 7), bravo1);
  const elsewhere = new make.Feed(alpha, link, { epoch: 1 }).append(...entries);
  refuses("origin", fork(3, 7, { smaller: note(elsewhere, 3) }), alpha1);
});

test("a proof of another shape is refused", () => {
  const here = world();
  for (const change of [
    { path: undefined }, { extra: 1 }, { index: -1 }, { index: "2" }, { statement: "text" }, { path: [new Uint8Array(31)] }, { path: Array(65).fill(sha256(link)) },
    { checkpoint: 1 }, { charters: alpha1 }, { charters: [1] }, { feed: [1] }, { feed: [...here.feed.name.slice(0, 4), 2 ** 31] }, { channel: "x" }, { adoptions: 1 }, { adoptions: [new Map()] },
  ]) refuses("proof-shape", make.makeProof({ ...here, change }), alpha1);
  assert.equal(hex(make.makeProof(here)), hex(make.makeProof(world())), "the producer gives the same bytes again");
});
