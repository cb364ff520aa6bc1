// Runs whatever test vectors stand in testdata/vectors, those that must be refused as well.
// It never skips a vector of a file it knows: a file of an unknown name fails, so that none is left unread.
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { ed25519 } from "@noble/curves/ed25519.js";
import { ml_dsa44, ml_dsa65 } from "@noble/post-quantum/ml-dsa.js";
import { decode, demand, encode, Refusal } from "./canonical.mjs";
import { parseAssetProof, verifyAsset } from "./asset.mjs";
import { openBundle } from "./bundle.mjs";
import { judgeCase, parseCase } from "./case.mjs";
import { parseChannel } from "./channel.mjs";
import { Chain, fingerprint, fingerprintWords, heardFingerprint, parseCharter } from "./charter.mjs";
import { demandSignatures, parseEnvelope } from "./envelope.mjs";
import { ED25519, hex, ML_DSA_44, ML_DSA_65, publicKey, verify } from "./key.mjs";
import { foldConsistency, foldInclusion, leafHash } from "./merkle.mjs";
import { checkLines, demandAuthor, parseCheckpoint } from "./note.mjs";
import { decodeFile, judgeFork, judgeProof, kindOf, parseFork, parseProof } from "./proof.mjs";
import { openParts, parseDisclosures } from "./disclosure.mjs";
import { commitmentDigest, orderDigest, originalOf, textDigest, wordingDigest } from "./instrument.mjs";
import { finishLookup, lookupInput, oprf, parseList } from "./lookup.mjs";
import { demandApproval, releaseDigest } from "./release.mjs";
import { parseEvidence, parseManifest, verdictOf } from "./sealing.mjs";
import { parseStatement } from "./statement.mjs";
import { parseView } from "./view.mjs";

const DIRECTORY = fileURLToPath(new URL("../testdata/vectors/", import.meta.url));
const unhex = (text) => Uint8Array.from(Buffer.from(text ?? "", "hex"));
const unhexAll = (texts) => (texts ?? []).map(unhex);

const KEY_OF_SEED = {
  [ED25519]: (seed) => ed25519.getPublicKey(seed),
  [ML_DSA_44]: (seed) => ml_dsa44.keygen(seed).publicKey,
  [ML_DSA_65]: (seed) => ml_dsa65.keygen(seed).publicKey,
};

// What each file's vectors are put through: it throws the Refusal that a vector with "refuse" expects.
const RUN = {
  assets(v) {
    const proof = parseAssetProof(unhex(v.proof));
    if (v.entry) assert.equal(proof.entry, v.entry);
    verifyAsset(proof, { party: v.party, version: v.version, root: unhex(v.root), leaves: v.leaves, totals: v.totals });
  },
  canonical(v) {
    const value = decode(unhex(v.cbor), v.limit);
    assert.equal(hex(encode(value)), v.cbor, "encoded again");
  },
  keys(v) {
    const key = publicKey(v.alg, unhex(v.public));
    assert.equal(hex(key.id), v["key-id"]);
    if (v.seed) assert.equal(hex(KEY_OF_SEED[v.alg](unhex(v.seed))), v.public);
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
    equalFields(statementSays(statement, envelope), v.says);
  },
  instruments(v) {
    if (v.original) {
      const { digest, ...printed } = originalOf(v.text, v.lang, v.parties, v.original);
      assert.deepEqual(printed, { title: v.title, blocks: v.blocks, signatures: v.signatures });
      return assert.equal(hex(digest), v.digest);
    }
    const digest = v.text ? textDigest(v.text) : v.order ? orderDigest(v.order) : wordingDigest(v.texts);
    assert.equal(hex(v.salt ? commitmentDigest(unhex(v.salt), digest) : digest), v.digest);
  },
  releases(v) {
    const digest = releaseDigest(parseStatement(unhex(v.statement)));
    assert.equal(hex(digest), v.digest);
    assert.equal(demandApproval(unhex(v.credential), unhex(v.assertion), digest), v.origin);
  },
  disclosure(v) {
    const { digests, disclosures } = v.file ? parseDisclosures(unhex(v.file)) : { digests: unhexAll(v.digests), disclosures: unhexAll(v.disclosures) };
    const parts = openParts(v.issuer, digests, disclosures);
    assert.deepEqual(parts.map(({ name, value }) => [name, hex(encode(value))]), (v.names ?? []).map((name, i) => [name, v.values[i]]));
  },
  sealing(v) {
    const manifest = parseManifest(unhex(v.manifest));
    const { state, consents, inForce, lapsed } = verdictOf(manifest, parseEvidence(unhex(v.evidence)));
    assert.equal(hex(manifest.hash), v.hash);
    assert.deepEqual([state, consents, inForce, lapsed], [v.state, v.consents ?? [], v["in-force"] ?? [], v.lapsed ?? []]);
  },
  lookups(v) {
    if (v.list) {
      const list = parseList(unhex(v.list), v.bucket);
      for (const entry of v.has) assert.ok(list.has(entry));
      for (const entry of v["has-not"]) assert.ok(!list.has(entry));
      return;
    }
    const inputs = v.asked.map(({ kind, value }) => lookupInput(kind, value));
    assert.deepEqual(inputs.map(hex), v.asked.map(({ input }) => input));
    const entries = finishLookup(unhex(v.public), inputs, unhexAll(v.blinds), unhex(v.elements), unhex(v.evaluated), unhex(v.proof));
    assert.deepEqual(entries.map(hex), v.entries);
  },
  voprf(v) {
    const { secretKey, publicKey } = oprf.deriveKeyPair(unhex(v.seed), unhex(v.info));
    assert.deepEqual([hex(secretKey), hex(publicKey)], [v.secret, v.public]);
    const cut = (text) => text.match(/.{64}/g).map(unhex);
    const items = cut(v.elements).map((blinded, i) => ({ input: unhex(v.inputs[i]), blind: unhex(v.blinds[i]), evaluated: cut(v.evaluated)[i], blinded }));
    assert.deepEqual(oprf.finalizeBatch(items, unhex(v.public), unhex(v.proof)).map(hex), v.outputs);
  },
  channels(v) {
    equalFields(channelSays(parseChannel(unhex(v.channel))), v.says);
  },
  fingerprint(v, vectors) {
    if (v.even) return [v.even, v.odd].forEach((list) => assert.equal(new Set(list).size, 256));
    for (const [language, words] of Object.entries(v.words ?? {})) {
      assert.deepEqual(fingerprintWords(unhex(v.fingerprint), listsOf(vectors, language)), words);
    }
    if (v.spoken) assert.equal(hex(heardFingerprint(v.spoken, listsOf(vectors, v.name.slice(-2)))), v.fingerprint);
  },
  feeds(v) {
    if (v.inclusion) {
      const { entry, index, size, root, path } = v.inclusion;
      return demand(hex(foldInclusion(leafHash(unhex(entry)), index, size, unhexAll(path)) ?? new Uint8Array()) === root, "not-included", "another root");
    }
    const leaves = v.entries.map((entry) => leafHash(unhex(entry)));
    assert.deepEqual(leaves.map(hex), v.leaves);
    assert.equal(v.roots[1], v.leaves[0]);
    for (const { from, to, path } of v.consistency) {
      if (from === to) continue; // nothing to fold: forks of equal sizes compare roots
      const first = Number.isInteger(Math.log2(from)) ? [v.roots[from]] : [];
      const { smaller, larger } = foldConsistency(from, to, unhexAll([...first, ...path]));
      assert.deepEqual([hex(smaller), hex(larger)], [v.roots[from], v.roots[to]]);
    }
  },
  checkpoints(v) {
    const checkpoint = parseCheckpoint(v.note);
    const signed = demandAuthor(checkpoint, v.origin, v.keys.map(keyOf));
    assert.deepEqual([checkpoint.size, hex(checkpoint.root)], [BigInt(v.size ?? 0), v.root]);
    assert.deepEqual(signed.map(signatureSays), v.signed);
  },
  cosignatures(v) {
    const checkpoint = parseCheckpoint(v.note);
    const signed = checkLines(checkpoint, `detente.v1/${v.mirror}/mirror`, v.keys.map(keyOf), false).good;
    demand(signed.length > 0, "cosignature", "no cosignature verifies");
    assert.deepEqual(signed.map(signatureSays), v.signed);
  },
  bundles(v) {
    const opened = openBundle(unhex(v.bundle), v.to, unhex(v.private), new Map([[v.from, v.keys.map(keyOf)]]));
    assert.deepEqual([opened.from, opened.at, hex(opened.content)], [v.from, v.at, v.content]);
  },
  views(v) {
    const { party, plane, open, root, basis } = parseView(v.note, v.keys.map(keyOf));
    assert.deepEqual({ party, plane, open, root: hex(root), basis: hex(basis) }, { party: v.party, plane: v.plane, open: v.open, root: v.root, basis: v.basis });
  },
  cases(v) {
    const got = judgeCase(parseCase(unhex(v.case)), trustedBy(v));
    const says = {
      dossier: hex(got.dossier), state: hex(got.state), by: got.sealedBy,
      statements: got.statements.map(({ statement, level, reason }) => ({ id: hex(statement.id), ...(level ? { level } : {}), ...(reason === "" ? {} : { invalid: reason }) })),
    };
    assert.deepEqual(says, v.says);
  },
  forks(v) {
    const value = decodeFile(unhex(v.fork));
    assert.equal(kindOf(value), "fork");
    const { feed, smaller, larger, checkpointSigned, doubtful } = judgeFork(parseFork(value), trustedBy(v));
    assert.deepEqual([feed.party, smaller.size, larger.size], [v.party, BigInt(v.smaller), BigInt(v.larger)]);
    const keys = checkpointSigned.map(({ key, withdrawn }) => ({ "key-id": hex(key.id), ...(withdrawn === undefined ? {} : { withdrawn }) }));
    assert.deepEqual([keys, doubtful], [v.keys, v.doubtful ?? false]);
  },
  proofs(v) {
    const value = decodeFile(unhex(v.proof));
    demand(kindOf(value) === "proof", "proof-shape", "not a proof file");
    equalFields(proofSays(judgeProof(parseProof(value), trustedBy(v))), v.says);
  },
  charters(v) {
    equalFields(chainSays(new Chain(v.charters.map((bytes) => parseCharter(unhex(bytes))))), v.says);
  },
};

const signatureSays = ({ key, time }) => ({ alg: key.alg, "key-id": hex(key.id), ...(time === undefined ? {} : { time: Number(time) }) });

// The chains of the vectors of charters.json that a vector names.
function trustedBy(vector) {
  const vectors = readVectors(readFileSync(`${DIRECTORY}charters.json`, "utf8"));
  return vector.trusted.flatMap((name) => vectors.find((v) => v.name === name).charters).map((bytes) => parseCharter(unhex(bytes)));
}

// A verdict in the words of the vectors: of a party's receipts the earliest counts.
function proofSays({ statement, position, level, receipts }) {
  const held = new Map();
  for (const { party, time } of receipts) if (!held.has(party) || time < held.get(party)) held.set(party, time);
  return {
    level, statement: hex(statement.id), origin: position.origin, index: Number(position.index), size: Number(position.size),
    receipts: held.size > 0 ? [...held].map(([party, time]) => ({ party, time: Number(time) })) : undefined,
  };
}

// A channel's charter in the words of the vectors.
const channelSays = (c) => ({
  id: hex(c.id), kind: c.kind, name: c.name, members: c.members, genesis: mapped(c.genesis, hex), posts: c.posts.length > 0 ? c.posts : undefined,
  regime: c.regime[0], version: c.regime[1], "regime-hash": c.regime[2] && hex(c.regime[2]), open: c.open, protected: c.protected,
  signatures: c.signatures, also: c.also && mapped(c.also, (algs) => algs), nonce: c.nonce && hex(c.nonce),
});

const mapped = (map, convert) => Object.fromEntries([...map].map(([key, value]) => [key, convert(value)]));

// The two lists of a language, from the same file.
const listsOf = (vectors, language) => {
  const { even, odd } = vectors.find((v) => v.language === language && v.even);
  return [even, odd];
};

// A chain of charters in the words of the vectors.
function chainSays({ genesis, newest: c }) {
  const revoked = c.revoked.map(({ id }) => hex(id));
  const posts = {};
  for (const [post, keys] of c.posts) for (const { plane, key } of keys) (posts[`${post}/${plane}`] ??= []).push(hex(key.id));
  return {
    party: c.party, version: c.version, hash: hex(c.hash), fingerprint: hex(fingerprint(c)), genesis: hex(genesis),
    issued: c.issued, need: c.need, roots: c.roots.length, posts, ...(revoked.length > 0 ? { revoked } : {}),
  };
}

const keyOf = ({ alg, public: bytes }) => publicKey(alg, unhex(bytes));

function equalFields(got, wanted) {
  for (const field of Object.keys({ ...wanted, ...got })) assert.deepEqual(got[field], wanted[field], field);
}

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
    for (const vector of vectors) await t.test(vector.name, () => check(run, vector, vectors));
  });
}

function check(run, vector, all) {
  if (vector.refuse === undefined) return run(vector, all);
  assert.throws(() => run(vector, all), (error) => {
    if (!(error instanceof Refusal)) throw error;
    assert.equal(error.code, vector.refuse, error.message);
    return true;
  });
}
