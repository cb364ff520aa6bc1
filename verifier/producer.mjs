// Makes what the verifier reads: charters, statements, feeds, checkpoints, proofs, forks. For tests.
// It never uses a parser, a path fold or a check of the verifier: only the encoder and the key ids are shared.
import { ed25519 } from "@noble/curves/ed25519.js";
import { ml_dsa44, ml_dsa65 } from "@noble/post-quantum/ml-dsa.js";
import { encode, encodeTagged } from "./canonical.mjs";
import { concatBytes, ED25519, hex, keyId, ML_DSA_44, ML_DSA_65, SEALING_KEM, sha256, utf8ToBytes } from "./key.mjs";

export const NOON = 1795780800; // 27 NOV 2026, 12:00

const base64 = (bytes) => Buffer.from(bytes).toString("base64");

// A key pair made from a label, so that two runs give the same bytes.
function makeKey(alg, label) {
  const seed = sha256(utf8ToBytes(`${alg} ${label}`));
  if (alg === ED25519) return pair(alg, ed25519.getPublicKey(seed), (message) => ed25519.sign(message, seed));
  const scheme = alg === ML_DSA_44 ? ml_dsa44 : ml_dsa65;
  const { publicKey, secretKey } = scheme.keygen(seed);
  return pair(alg, publicKey, (message) => scheme.sign(message, secretKey, { extraEntropy: false }));
}

const pair = (alg, bytes, sign) => ({ alg, bytes, id: keyId(alg, bytes), sign, public: [alg, bytes] });

// A signed envelope.
function makeEnvelope({ type, claims, header, payload, keys }) {
  const labels = new Map([[2, header ? [-70001, -70002] : [-70002]], [3, type]]);
  if (claims) labels.set(15, claims);
  if (header) labels.set(-70001, header);
  labels.set(-70002, keys.map(({ alg, id }) => [alg, id]));
  const body = encode(labels);
  const signatures = keys.map((key) => {
    const own = encode(new Map([[1, key.alg], [4, key.id]]));
    return [own, new Map(), key.sign(encode(["Signature", body, own, new Uint8Array(), payload]))];
  });
  return encodeTagged(98, [body, new Map(), payload, signatures]);
}

/** A party with two roots, one post `duty`, and its node keys. `generation` changes the post's and the node's keys. */
export function makeParty(party, generation = 1) {
  const label = (use) => `${party} ${use} ${generation}`;
  return {
    party,
    roots: [makeKey(ED25519, `${party} root 1`), makeKey(ED25519, `${party} root 2`)],
    duty: makeKey(ED25519, label("duty")),
    drill: makeKey(ED25519, label("drill")),
    dutyPQ: makeKey(ML_DSA_65, label("duty-pq")),
    checkpoint: makeKey(ED25519, label("checkpoint")),
    checkpointPQ: makeKey(ML_DSA_44, label("checkpoint-pq")),
    mirror: makeKey(ED25519, label("mirror")),
    mirrorPQ: makeKey(ML_DSA_44, label("mirror-pq")),
    bundle: makeKey(ED25519, label("bundle")),
    transport: makeKey(ED25519, label("transport")),
  };
}

/** The fields of a charter of the party. */
export function charterFields(keys, { version = 1, previous, revoked, need = 1, issued = NOON - 86400 } = {}) {
  const map = new Map(Object.entries({
    party: keys.party,
    name: new Map([["en", `Party ${keys.party}`]]),
    version,
    issued,
    roots: new Map([["need", need], ["roots", keys.roots.map((key) => [key.public])]]),
    posts: [new Map([
      ["post", "duty"], ["may", ["receive", "acknowledge", "answer", "commit"]],
      ["keys", [["real", keys.duty.public], ["real", keys.dutyPQ.public], ["exercise", keys.drill.public]]],
    ])],
    node: new Map(Object.entries({
      checkpoint: keys.checkpoint.public, "checkpoint-pq": keys.checkpointPQ.public,
      mirror: keys.mirror.public, "mirror-pq": keys.mirrorPQ.public,
      bundle: keys.bundle.public, transport: keys.transport.public,
      sealing: [SEALING_KEM, concatBytes(...Array.from({ length: 38 }, (_, i) => sha256(utf8ToBytes(`${keys.party} sealing ${i}`))))],
    })),
    languages: ["en"],
    routes: [["https", `${keys.party}.example`]],
  }));
  if (previous) map.set("previous", previous);
  if (revoked) map.set("revoked", revoked);
  return map;
}

/** A charter of these fields, signed by `keys`. */
export const signCharter = (fields, keys) =>
  makeEnvelope({ type: "application/vnd.detente.charter", payload: encode(fields), keys });

/** Version 1 of a party's charter, signed by its first root. */
export const makeCharter = (keys, options) => signCharter(charterFields(keys, options), [keys.roots[0]]);

/** The next version, under the same roots. */
export const makeNextCharter = (keys, previousBytes, options) =>
  makeCharter(keys, { version: 2, previous: sha256(previousBytes), ...options });

/** The link channel of two parties, given as [party id, bytes of version 1] pairs. */
export const makeLink = (...parties) => makeChannel({ kind: "link", name: "link", open: false }, parties);

/** A channel's charter with these fields. */
export function makeChannel(fields, parties) {
  const sorted = [...parties].sort(([a], [b]) => (a < b ? -1 : 1));
  return encode(new Map(Object.entries({
    members: sorted.map(([party]) => party),
    genesis: new Map(sorted.map(([party, bytes]) => [party, sha256(bytes)])),
    posts: [], regime: ["link", 1], protected: true, signatures: [ED25519], ...fields,
  })));
}

/** A statement from `duty` of the party, of these fields or with another payload. `header` and `claims` override single keys; undefined takes one away. */
export function makeStatement(keys, channel, { to = "bravo", form = "inquiry", fields = { text: "Is all well?" }, payload = encode(new Map(Object.entries(fields))), signers, header = {}, claims = {} } = {}) {
  const set = (base, changes) => {
    const map = new Map(base);
    for (const [key, value] of Object.entries(changes)) value === undefined ? map.delete(Number(key)) : map.set(Number(key), value);
    return map;
  };
  return makeEnvelope({
    type: "application/vnd.detente.statement",
    claims: set([[1, `${keys.party}/duty`], [3, to], [6, NOON]], claims),
    header: set([[1, sha256(channel)], [2, "real"], [3, "P"], [4, form], [5, 1], [9, 1], [10, "en"], [12, "duty-officer"], [14, 1]], header),
    payload,
    keys: signers ?? [keys.duty],
  });
}

/** A feed: entries and the trees over them, computed by the recursive definitions of RFC 6962 section 2.1. */
export class Feed {
  constructor(keys, channel, { plane = "real", precedence = "P", epoch = 0 } = {}) {
    this.name = [sha256(channel), keys.party, plane, precedence, epoch];
    this.origin = `detente.v1/${hex(this.name[0])}/${keys.party}/${plane}/${precedence}/${epoch}`;
    this.entries = [];
  }
  append(...entries) {
    this.entries.push(...entries);
    return this;
  }
  root(size = this.entries.length) {
    return treeHash(this.entries.slice(0, size));
  }
  inclusion(index, size = this.entries.length) {
    return auditPath(index, this.entries.slice(0, size));
  }
  /** The consistency path, with the root of the first m leaves in front where RFC 6962 leaves it out. */
  consistency(m, n = this.entries.length) {
    const path = subproof(m, this.entries.slice(0, n), true);
    return (m & (m - 1)) === 0 ? [this.root(m), ...path] : path;
  }
}

const split = (leaves) => 2 ** Math.ceil(Math.log2(leaves.length) - 1);

function treeHash(leaves) {
  if (leaves.length === 0) return sha256(new Uint8Array());
  if (leaves.length === 1) return sha256(concatBytes(new Uint8Array([0]), leaves[0]));
  const k = split(leaves);
  return sha256(concatBytes(new Uint8Array([1]), treeHash(leaves.slice(0, k)), treeHash(leaves.slice(k))));
}

function auditPath(index, leaves) {
  if (leaves.length === 1) return [];
  const k = split(leaves);
  if (index < k) return [...auditPath(index, leaves.slice(0, k)), treeHash(leaves.slice(k))];
  return [...auditPath(index - k, leaves.slice(k)), treeHash(leaves.slice(0, k))];
}

function subproof(m, leaves, whole) {
  if (m === leaves.length) return whole ? [] : [treeHash(leaves)];
  const k = split(leaves);
  if (m <= k) return [...subproof(m, leaves.slice(0, k), whole), treeHash(leaves.slice(k))];
  return [...subproof(m - k, leaves.slice(k), false), treeHash(leaves.slice(0, k))];
}

const noteLine = (name, type, key, signature) =>
  `— ${name} ${base64(concatBytes(sha256(concatBytes(utf8ToBytes(`${name}\n`), new Uint8Array([type]), key.bytes)).subarray(0, 4), signature))}\n`;

const uint64 = (value) => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return new Uint8Array(bytes);
};

const checkpointText = ({ origin, size, root }) => `${origin}\n${size}\n${base64(root)}\n`;

const cosignedMessage = ({ origin, size, root }, name, time) =>
  concatBytes(utf8ToBytes("subtree/v1\n\0"), new Uint8Array([name.length]), utf8ToBytes(name), uint64(time),
    new Uint8Array([origin.length]), utf8ToBytes(origin), uint64(0), uint64(size), root);

/** The author's two signature lines, Ed25519 and ML-DSA-44, on a tree head `{origin, size, root}`. */
export const authorLines = (head, keys, time = NOON) => [
  noteLine(head.origin, 0x01, keys.checkpoint, keys.checkpoint.sign(utf8ToBytes(checkpointText(head)))),
  noteLine(head.origin, 0x06, keys.checkpointPQ, concatBytes(uint64(time), keys.checkpointPQ.sign(cosignedMessage(head, head.origin, time)))),
];

/** A mirror's two cosignature lines. */
export function mirrorLines(head, keys, time) {
  const name = `detente.v1/${keys.party}/mirror`;
  return [
    noteLine(name, 0x04, keys.mirror, concatBytes(uint64(time), keys.mirror.sign(utf8ToBytes(`cosignature/v1\ntime ${time}\n${checkpointText(head)}`)))),
    noteLine(name, 0x06, keys.mirrorPQ, concatBytes(uint64(time), keys.mirrorPQ.sign(cosignedMessage(head, name, time)))),
  ];
}

/** The note of a head with these signature lines. */
export const makeNote = (head, lines) => `${checkpointText(head)}\n${lines.join("")}`;

export const headOf = (feed, size = feed.entries.length) => ({ origin: feed.origin, size, root: feed.root(size) });

/** A proof of entry `index`; `change` overrides fields, undefined takes one away. */
export function makeProof({ channel, feed, index, note, charters, adoptions, change = {} }) {
  const entry = (i) => ({ index: i, statement: feed.entries[i], path: feed.inclusion(i) });
  const fields = {
    type: "detente-proof.v1", channel, feed: feed.name, ...entry(index), checkpoint: note, charters,
    ...(adoptions ? { adoptions: adoptions.map((i) => new Map(Object.entries(entry(i)))) } : {}), ...change,
  };
  return encode(new Map(Object.entries(fields).filter(([, value]) => value !== undefined)));
}

/** A fork object. */
export const makeFork = ({ feed, smaller, larger, path, charters }) =>
  encode(new Map(Object.entries({ type: "detente-fork.v1", feed: feed.name, smaller, larger, path, charters })));

/** A charter file. */
export const makeCharterFile = (...charters) => encode(["detente-charters.v1", charters]);
