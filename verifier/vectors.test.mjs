// Runs whatever test vectors stand in testdata/vectors, those that must be refused as well.
// It never skips a vector of a file it knows: a file of an unknown name fails, so that none is left unread.
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { decode, demand, encode, Refusal } from "./canonical.mjs";
import { demandSignatures, parseEnvelope } from "./envelope.mjs";
import { hex, publicKey, verify } from "./key.mjs";
import { parseStatement } from "./statement.mjs";

const DIRECTORY = fileURLToPath(new URL("../testdata/vectors/", import.meta.url));
const unhex = (text) => Uint8Array.from(Buffer.from(text ?? "", "hex"));

// What each file's vectors are put through: it throws the Refusal that a vector with "refuse" expects.
const RUN = {
  canonical(v) {
    const value = decode(unhex(v.cbor), v.limit);
    assert.equal(hex(encode(value)), v.cbor, "encoded again");
  },
  keys(v) {
    const key = publicKey(v.alg, unhex(v.public));
    assert.equal(hex(key.id), v["key-id"]);
    demand(verify(key, unhex(v.message), unhex(v.signature)), "bad-signature", "the signature does not verify");
  },
  envelopes(v) {
    const envelope = parseEnvelope(unhex(v.envelope), v.limit, v["content-type"]);
    const keys = demandSignatures(envelope, v.keys.map(keyOf));
    assert.deepEqual(keys.map((key) => hex(key.id)), v["key-ids"]);
    assert.equal(hex(envelope.payload), v.payload ?? "");
    for (const part of ["claims", "header"]) assert.equal(envelope[part] && hex(encode(envelope[part])), v[part]);
  },
  statements(v) {
    const { envelope, ...statement } = parseStatement(unhex(v.statement));
    demandSignatures(envelope, v.keys.map(keyOf));
    const says = statementSays(statement, envelope);
    for (const field of Object.keys({ ...v.says, ...says })) assert.deepEqual(says[field], v.says[field], field);
  },
};

const keyOf = ({ alg, public: bytes }) => publicKey(alg, unhex(bytes));

// A statement in the words of the vectors.
function statementSays(s, envelope) {
  const seen = Array.isArray(s.seen)
    ? { seen: s.seen.map(([party, precedence, epoch, size, root]) => ({ party, precedence, epoch, size, root: hex(root) })) }
    : { "seen-hash": s.seen && hex(s.seen) };
  return {
    id: hex(s.id), issuer: s.issuer, audience: s.audience, "issued-at": s.issued, channel: hex(s.channel), plane: s.plane,
    precedence: s.precedence, form: s.form, version: s.formVersion, dossier: s.dossier && hex(s.dossier), refs: s.refs?.map(hex), ...seen,
    clock: s.clock, language: s.language, marking: s.marking, drafter: s.drafter, releaser: s.releaser, charter: s.charter,
    payload: hex(envelope.payload),
  };
}

// JSON.parse rounds integers beyond 2^53: they are quoted first and become bigints.
const readVectors = (text) =>
  JSON.parse(text.replace(/: ([0-9]{16,})(?=[,\s}\]])/g, ': "big $1"'), (_, value) =>
    typeof value === "string" && value.startsWith("big ") ? BigInt(value.slice(4)) : value);

const files = existsSync(DIRECTORY) ? readdirSync(DIRECTORY).filter((name) => name.endsWith(".json")) : [];
for (const file of files) {
  const name = file.replace(/\.json$/, "");
  test(file, async (t) => {
    const run = RUN[name];
    assert.ok(run, `vectors.test.mjs does not know ${file}`);
    const vectors = readVectors(readFileSync(DIRECTORY + file, "utf8"));
    assert.ok(vectors.length > 0);
    for (const vector of vectors) await t.test(vector.name, () => check(run, vector));
  });
}

function check(run, vector) {
  if (vector.refuse === undefined) return run(vector);
  assert.throws(() => run(vector), (error) => {
    if (!(error instanceof Refusal)) throw error;
    assert.equal(error.code, vector.refuse, error.message);
    return true;
  });
}
