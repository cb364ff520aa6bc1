// Public keys, key ids and signature checks (protocol.md#keys).
// It never holds a secret and never makes a signature.
import { ed25519 } from "@noble/curves/ed25519.js";
import { bytesToNumberLE, concatBytes } from "@noble/curves/utils.js";
import { sha256, sha512 } from "@noble/hashes/sha2.js";
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";
import { ml_dsa44, ml_dsa65 } from "@noble/post-quantum/ml-dsa.js";
import { demand, encode, equalBytes } from "./canonical.mjs";

export const ED25519 = -19;
export const ML_DSA_44 = -48;
export const ML_DSA_65 = -49;
/** HPKE KEM MLKEM768-X25519, the id in `sealing`. */
export const SEALING_KEM = 0x647a;

const ALGORITHMS = new Map([
  [ED25519, { name: "Ed25519", publicKey: 32, signature: 64, verify: verifyEd25519 }],
  [ML_DSA_44, { name: "ML-DSA-44", publicKey: 1312, signature: 2420, verify: (s, m, k) => ml_dsa44.verify(s, m, k) }],
  [ML_DSA_65, { name: "ML-DSA-65", publicKey: 1952, signature: 3309, verify: (s, m, k) => ml_dsa65.verify(s, m, k) }],
]);
const SEALING_KEY_BYTES = 1216;
const OTHER_KEY_BYTES = 8192;

export { bytesToHex as hex, concatBytes, sha256, utf8ToBytes };

/** The name that people read. */
export const algorithmName = (alg) => ALGORITHMS.get(alg)?.name ?? `algorithm ${alg}`;

/** Whether signatures of the algorithm can be verified here. */
export const isKnown = (alg) => ALGORITHMS.has(alg);

/** Whether this may be the id of an algorithm. */
export const isAlgorithm = (alg) => Number.isSafeInteger(alg);

/**
 * A public key: `alg`, `bytes` and `id`. Refused with `unknown-algorithm` when its algorithm is not known here, with
 * `malformed-key` when it is not one of that algorithm, or with `code` where a structure has one reason for all.
 */
export function publicKey(alg, bytes, code) {
  const algorithm = ALGORITHMS.get(alg);
  demand(algorithm, code ?? "unknown-algorithm", `the algorithm ${alg} is not known here`);
  demand(bytes.length === algorithm.publicKey, code ?? "malformed-key", `a public key of ${bytes.length} bytes, not ${algorithm.publicKey}`);
  if (alg === ED25519) demand(isSoundPoint(bytes), code ?? "malformed-key", "an Ed25519 key of small order, or not in its one encoding");
  return { alg, bytes, id: keyId(alg, bytes) };
}

/** Parses `[alg, public key]`; with `wanted` only that algorithm is accepted. A key of an unknown one is kept and verifies nothing. */
export function parseKey(value, code, wanted) {
  demand(Array.isArray(value) && value.length === 2, code, "a key is not [algorithm, public key]");
  const [alg, bytes] = value;
  demand(bytes instanceof Uint8Array, code, "a public key is not bytes");
  demand(wanted === undefined || alg === wanted, code, `a key of algorithm ${alg}, not ${wanted}`);
  if (wanted === SEALING_KEM) demand(bytes.length === SEALING_KEY_BYTES, code, `a sealing key of ${bytes.length} bytes`);
  else if (ALGORITHMS.has(alg)) return publicKey(alg, bytes, code);
  else demand(Number.isSafeInteger(alg) && bytes.length >= 1 && bytes.length <= OTHER_KEY_BYTES, code, `a key of algorithm ${alg} with ${bytes.length} bytes`);
  return { alg, bytes, id: keyId(alg, bytes) };
}

// Under a key of small order one signature fits many messages, and a second encoding gives one key two ids. Bytes that are
// no point at all are harmless: nothing verifies under them. The sign bit tells a point from its negative and no more.
function isSoundPoint(bytes) {
  const y = bytes.slice();
  y[31] &= 0x7f;
  if (bytesToNumberLE(y) >= ed25519.Point.Fp.ORDER) return false;
  let point;
  try {
    point = ed25519.Point.fromBytes(y);
  } catch {
    return true;
  }
  return !point.isSmallOrder();
}

/** The key id of section 2, 16 bytes. */
export const keyId = (alg, publicKey) =>
  sha256(concatBytes(utf8ToBytes("detente.v1 key\n"), encode([alg, publicKey]))).subarray(0, 16);

/** Whether the signature verifies. An unknown algorithm, a wrong length and a malformed key all answer false. */
export function verify(key, message, signature) {
  const algorithm = ALGORITHMS.get(key.alg);
  if (!algorithm || signature.length !== algorithm.signature || key.bytes.length !== algorithm.publicKey) return false;
  try {
    return algorithm.verify(signature, message, key.bytes);
  } catch {
    return false;
  }
}

// RFC 8032 section 5.1.7 without the cofactor, R compared as bytes. The library's own check multiplies by the
// cofactor and so accepts signatures, made on purpose by the key's holder, that most implementations refuse.
function verifyEd25519(signature, message, publicKey) {
  const { Point } = ed25519;
  const r = signature.subarray(0, 32);
  const s = bytesToNumberLE(signature.subarray(32));
  if (s >= Point.Fn.ORDER) return false;
  const a = Point.fromBytes(publicKey);
  const k = bytesToNumberLE(sha512(concatBytes(r, publicKey, message))) % Point.Fn.ORDER;
  return equalBytes(Point.BASE.multiplyUnsafe(s).subtract(a.multiplyUnsafe(k)).toBytes(), r);
}
