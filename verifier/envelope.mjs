// The COSE_Sign envelope that carries whatever is signed, except checkpoints (protocol.md#envelope).
// It never says who may sign: it says which keys a signature set names, and whether each signature verifies.
import { decode, demand, encode, equalBytes } from "./canonical.mjs";
import { hex, isKnown, verify } from "./key.mjs";

export const STATEMENT_TYPE = "application/vnd.detente.statement";
export const CHARTER_TYPE = "application/vnd.detente.charter";

const TAG = 98;
const CRIT = 2;
const CONTENT_TYPE = 3;
const CLAIMS = 15;
const HEADER = -70001;
const SIGNATURE_SET = -70002;
const MAX_SIGNATURES = 16;
const KEY_ID_BYTES = 16;

/**
 * Parses an envelope of at most `limit` bytes and of the content type `type`.
 * @returns {{claims: *, header: *, payload: Uint8Array, signers: {alg: number, id: Uint8Array, signature: Uint8Array, signed: Uint8Array}[]}}
 *   `claims` and `header` are undefined when labels 15 and -70001 are not there; `signed` are the bytes that a signature is over.
 */
export function parseEnvelope(bytes, limit, type) {
  const body = decode(bytes, limit, TAG);
  demand(Array.isArray(body) && body.length === 4, "shape", "an envelope is an array of four");
  const [protectedBytes, unprotected, payload, signatures] = body;
  demand(protectedBytes instanceof Uint8Array && payload instanceof Uint8Array, "shape", "the protected header and the payload are bytes");
  demand(isEmptyMap(unprotected), "shape", "the unprotected header is not an empty map");
  demand(Array.isArray(signatures), "shape", "the signatures are not an array");
  signatures.forEach(demandSignatureShape);

  const labels = decode(protectedBytes, limit);
  demandLabels(labels, type === STATEMENT_TYPE ? [CLAIMS, HEADER] : []);
  const set = parseSet(labels.get(SIGNATURE_SET));
  demand(labels.get(CONTENT_TYPE) === type, "content-type", `the content type is not ${type}`);
  demand(signatures.length === set.length, "signature-set", `${signatures.length} signatures for a signature set of ${set.length}`);
  const signers = signatures.map(([own, , signature], i) => {
    const { alg, id } = set[i];
    demand(equalBytes(own, encode(new Map([[1, alg], [4, id]]))), "signature-set", "a signature is not the one that the signature set names");
    return { alg, id, signature, signed: encode(["Signature", protectedBytes, own, new Uint8Array(), payload]) };
  });
  return { claims: labels.get(CLAIMS), header: labels.get(HEADER), payload, signers };
}

const isEmptyMap = (value) => value instanceof Map && value.size === 0;

function demandSignatureShape(value) {
  const isOne = Array.isArray(value) && value.length === 3 && value[0] instanceof Uint8Array && isEmptyMap(value[1]) && value[2] instanceof Uint8Array;
  demand(isOne, "shape", "a signature is not a header, an empty map and bytes");
}

// A label that is missing or has another type than its own is as unknown as one that is not listed.
function demandLabels(labels, optional) {
  const code = "unknown-header";
  demand(labels instanceof Map, code, "the protected header is not a map");
  const known = [CRIT, CONTENT_TYPE, ...optional, SIGNATURE_SET];
  for (const label of labels.keys()) demand(known.includes(label), code, `the protected header has the unknown label ${label}`);
  for (const label of [CRIT, CONTENT_TYPE, SIGNATURE_SET]) demand(labels.has(label), code, `the protected header lacks label ${label}`);
  const crit = labels.has(HEADER) ? [HEADER, SIGNATURE_SET] : [SIGNATURE_SET];
  demand(equalBytes(encode(labels.get(CRIT)), encode(crit)), code, `crit is not [${crit}]`);
  demand(typeof labels.get(CONTENT_TYPE) === "string", code, "the content type is not text");
}

function parseSet(set) {
  const isEntry = (entry) =>
    Array.isArray(entry) && entry.length === 2 && Number.isSafeInteger(entry[0]) && entry[1] instanceof Uint8Array && entry[1].length === KEY_ID_BYTES;
  demand(Array.isArray(set) && set.every(isEntry), "unknown-header", "the signature set is not an array of [algorithm, key id]");
  demand(set.length >= 1 && set.length <= MAX_SIGNATURES, "signature-set", `the signature set has not 1 to ${MAX_SIGNATURES} entries`);
  const pairs = set.map(([alg, id]) => `${alg} ${hex(id)}`);
  demand(new Set(pairs).size === pairs.length, "signature-set", "the signature set names a key twice");
  return set.map(([alg, id]) => ({ alg, id }));
}

// The key among `keys` that a signer names, or undefined. A key of an algorithm that is not known here is nobody's.
const keyOf = (signer, keys) => keys.find((key) => isKnown(key.alg) && key.alg === signer.alg && equalBytes(key.id, signer.id));

/** Demands that the signatures by any of `keys` verify. Returns for each signer, in the order of the set, its key, or undefined. */
export function demandVerified(envelope, keys) {
  return envelope.signers.map((signer) => {
    const key = keyOf(signer, keys);
    demand(!key || verify(key, signer.signed, signer.signature), "bad-signature", `the signature by ${hex(signer.id)} does not verify`);
    return key;
  });
}

/** Demands that each signer names one of `keys`. `signed` is what demandVerified gave, or is about to give. */
export function demandKnown(envelope, signed) {
  envelope.signers.forEach(({ id }, i) =>
    demand(signed[i], "unknown-key", `the signature set names ${hex(id)}, a key that is not among those that may sign`));
}

/** Demands that each signer names one of `keys` and that its signature verifies. Returns the keys in the order of the set. */
export function demandSignatures(envelope, keys) {
  demandKnown(envelope, envelope.signers.map((signer) => keyOf(signer, keys)));
  return demandVerified(envelope, keys);
}
