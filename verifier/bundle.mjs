// Opens a bundle as its receiver does (protocol.md#bundle), so that two implementations of the seal meet in the tests.
// It is no part of the verdict, and never handles a key that is not a test's: a proof needs no secret.
import { createDecipheriv } from "node:crypto";
import { expand, extract } from "@noble/hashes/hkdf.js";
import { ml_kem768_x25519 } from "@noble/post-quantum/hybrid.js";
import { decode, demand, equalBytes, holds, Refusal } from "./canonical.mjs";
import { demandSignatures, parseEnvelope } from "./envelope.mjs";
import { concatBytes, keyId, SEALING_KEM, sha256, utf8ToBytes } from "./key.mjs";
import { demandFields, isArrayOf, isHash, isParty, isText, isTime, isUint, parseFeedName } from "./shapes.mjs";

const LIMIT = 8 << 20;
const HEAD_LIMIT = 4096;
const TYPE = "detente-bundle.v1";
const CONTENT_TYPE = "application/vnd.detente.bundle";
const ENC_BYTES = 1120;
const TAG_BYTES = 16;
const MOST_SIZE = 2 ** 53;
const SHAPE = "shape";

const isBytes = (value, most = LIMIT) => value instanceof Uint8Array && value.length <= most;
const isNote = (value) => isText(value, 1, 32768);

/**
 * Opens a bundle that arrived at the party `to`, whose sealing key is the X-Wing seed `secret`.
 * @param {Map<string, object[]>} senders the node keys `bundle` by party
 * @returns {{from: string, at: number, content: Uint8Array}}
 */
export function openBundle(bytes, to, secret, senders) {
  const { sealedTo, keyId: sealedKey, enc, ciphertext } = parseSealed(bytes);
  demand(sealedTo === to, "not-for-us", `the bundle is for ${sealedTo}`);
  demand(equalBytes(sealedKey, keyId(SEALING_KEM, ml_kem768_x25519.getPublicKey(secret))), "sealing-key", "sealed to another key");
  const { head, content } = parsePlaintext(openSeal(secret, enc, ciphertext, to));
  const { from, at } = parseHead(head, to, senders, content);
  parseContent(content);
  return { from, at, content };
}

// Bytes that are malformed in any way have one code here, canonical form included.
function shaped(read) {
  try {
    return read();
  } catch (error) {
    throw error instanceof Refusal && error.code !== "limit" ? new Refusal(SHAPE, error.message) : error;
  }
}

function parseSealed(bytes) {
  const value = shaped(() => decode(bytes, LIMIT));
  demand(Array.isArray(value) && value.length === 5 && value[0] === TYPE, SHAPE, "not a bundle");
  const [, sealedTo, id, enc, ciphertext] = value;
  const isOne = isParty(sealedTo) && isBytes(id) && id.length === 16 && isBytes(enc) && enc.length === ENC_BYTES && isBytes(ciphertext);
  demand(isOne, SHAPE, "a part of the bundle is not what it should be");
  return { sealedTo, keyId: id, enc, ciphertext };
}

// RFC 9180 base mode: the KEM gives the shared secret as it is.
function openSeal(secret, enc, ciphertext, to) {
  const uint16 = (n) => new Uint8Array([n >> 8, n & 255]);
  const suite = concatBytes(utf8ToBytes("HPKE"), uint16(SEALING_KEM), uint16(0x0001), uint16(0x0002));
  const labeled = (label, data) => concatBytes(utf8ToBytes("HPKE-v1"), suite, utf8ToBytes(label), data);
  const empty = new Uint8Array();
  const labeledExtract = (salt, label, ikm) => extract(sha256, labeled(label, ikm), salt);
  const context = concatBytes(new Uint8Array([0]), labeledExtract(empty, "psk_id_hash", empty),
    labeledExtract(empty, "info_hash", utf8ToBytes(`detente.v1 bundle\n${to}`)));
  const shared = labeledExtract(ml_kem768_x25519.decapsulate(enc, secret), "secret", empty);
  const labeledExpand = (label, length) => expand(sha256, shared, concatBytes(uint16(length), labeled(label, context)), length);
  try {
    const split = ciphertext.length - TAG_BYTES;
    const cipher = createDecipheriv("aes-256-gcm", labeledExpand("key", 32), labeledExpand("base_nonce", 12), { authTagLength: TAG_BYTES });
    cipher.setAuthTag(ciphertext.subarray(split));
    return concatBytes(new Uint8Array(cipher.update(ciphertext.subarray(0, split))), new Uint8Array(cipher.final()));
  } catch {
    throw new Refusal("seal", "the seal does not open");
  }
}

// The padding tells the content's end only through the head, so the head is read for its size before it is believed.
function parsePlaintext(plaintext) {
  demand(plaintext.length >= 4, SHAPE, "the plaintext has no head");
  const length = new DataView(plaintext.buffer, plaintext.byteOffset).getUint32(0);
  demand(length <= HEAD_LIMIT && 4 + length <= plaintext.length, SHAPE, "the head is too long");
  const head = plaintext.subarray(4, 4 + length);
  const rest = plaintext.subarray(4 + length);
  const { size } = headFields(head);
  demand(size <= rest.length && plaintext.length === padme(4 + length + size), SHAPE, "the plaintext is not padded as prescribed");
  demand(rest.subarray(size).every((byte) => byte === 0), SHAPE, "the padding is not zeros");
  return { head, content: rest.subarray(0, size) };
}

function headFields(head) {
  return shaped(() => {
    const envelope = parseEnvelope(head, HEAD_LIMIT, CONTENT_TYPE);
    const fields = decode(envelope.payload, HEAD_LIMIT);
    demandFields(fields, ["from", "to", "at", "size", "content"], [], SHAPE, "the head");
    const { from, to, at, size, content } = Object.fromEntries(fields);
    demand(isParty(from) && isParty(to) && isTime(at) && isUint(size) && size <= LIMIT && isHash(content), SHAPE, "a field of the head is not one");
    return { envelope, from, to, at, size, hash: content };
  });
}

function padme(length) {
  const exponent = Math.floor(Math.log2(length));
  const unit = 2 ** Math.max(0, exponent - (Math.floor(Math.log2(exponent)) + 1));
  return Math.ceil(length / unit) * unit;
}

function parseHead(head, to, senders, content) {
  const { envelope, from, to: meant, at, hash } = headFields(head);
  const known = envelope.signers.length === 1 && holds(() => demandSignatures(envelope, senders.get(from) ?? []));
  demand(known, "sender", `the head does not bear the one signature of ${from}`);
  demand(meant === to, "not-for-us", `the sender wrote it to ${meant}`);
  demand(equalBytes(hash, sha256(content)), "sender", "the sender signed another content");
  return { from, at };
}

const isFeedName = (value) => holds(() => parseFeedName(value, SHAPE));
const isSize = (value) => isUint(value) && value <= MOST_SIZE;

// Field: how many of it at most, what one of it is.
const LISTS = {
  charters: [64, (value) => isBytes(value, 262144)],
  feeds: [4096, record({ feed: isFeedName, start: isSize, checkpoint: isNote }, { entries: (list) => isArrayOf(list, isBytes, 1) })],
  held: [4096, record({ feed: isFeedName, size: isSize, root: isHash }, { cosignatures: isNote })],
  gossip: [4096, isNote],
  forks: [16, (value) => isBytes(value, 1 << 20)],
  wants: [1024, (value) => Array.isArray(value) && value.length === 2 && isHash(value[0]) && isSize(value[1])],
  blobs: [64, record({ hash: isHash, size: isSize, offset: isSize, data: (value) => isBytes(value, 262144) })],
};
const MOST_ENTRIES = 65536;
const MOST_KNOWN = 1024;
const LONGEST_HOLD = 300;

function record(required, optional = {}) {
  return (value) => holds(() => demandFields(value, Object.keys(required), Object.keys(optional), SHAPE, "an entry")) &&
    [...value].every(([name, field]) => (required[name] ?? optional[name])(field));
}

function parseContent(bytes) {
  const content = shaped(() => decode(bytes, LIMIT));
  demandFields(content, [], [...Object.keys(LISTS), "know", "hold"], SHAPE, "the content");
  for (const [name, [most, each]] of Object.entries(LISTS)) {
    if (!content.has(name)) continue;
    demand(isArrayOf(content.get(name), each, 1), SHAPE, `${name} is not a list of what it should be`);
    demand(content.get(name).length <= most, "limit", `more than ${most} ${name}`);
  }
  const entries = (content.get("feeds") ?? []).reduce((sum, feed) => sum + (feed.get("entries")?.length ?? 0), 0);
  demand(entries <= MOST_ENTRIES, "limit", `more than ${MOST_ENTRIES} entries`);
  const { know, hold } = Object.fromEntries(content);
  if (know !== undefined) {
    const isKnown = ([party, version]) => isParty(party) && isUint(version, 1);
    demand(know instanceof Map && isArrayOf([...know], isKnown, 1), SHAPE, "know is not a map from party to version");
    demand(know.size <= MOST_KNOWN, "limit", `more than ${MOST_KNOWN} in know`);
  }
  demand(hold === undefined || isUint(hold), SHAPE, "hold is not a number of seconds");
  demand(hold === undefined || hold <= LONGEST_HOLD, "limit", `hold is over ${LONGEST_HOLD} seconds`);
}
