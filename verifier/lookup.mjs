// Verifies answers to blinded questions, and reads lists (protocol.md#asking).
// It never takes an answer whose proof is not by the key of the list.
import { ed25519, ristretto255, ristretto255_oprf } from "@noble/curves/ed25519.js";
import { utf8ToBytes } from "@noble/hashes/utils.js";
import { compareBytes, demand, equalBytes } from "./canonical.mjs";
import { hex } from "./key.mjs";

/** The verifiable mode of RFC 9497 with ristretto255-SHA512. */
export const oprf = ristretto255_oprf.voprf;

const SIZE = 32;
const ENTRY = 16;
const HEAD = utf8ToBytes("detente-lookup-list.v1\n");

/** What goes into the function for an indicator in its one spelling. */
export const lookupInput = (kind, value) => utf8ToBytes(`detente.v1 indicator\n${kind}\n${value}`);

/** Verifies an answer and gives what to look for in the list, one entry for each input. */
export function finishLookup(publicKey, inputs, blinds, elements, evaluated, proof) {
  demandElement(publicKey, "key");
  const [asked, answered] = [cut(elements), cut(evaluated)];
  demand(asked.length === inputs.length && answered.length === inputs.length, "count", `${answered.length} of ${inputs.length} are answered`);
  demand(proof.length === 2 * SIZE && reduced(proof.subarray(0, SIZE)) && reduced(proof.subarray(SIZE)), "proof", "a scalar is not reduced");
  const items = inputs.map((input, i) => ({ input, blind: blinds[i], evaluated: answered[i], blinded: asked[i] }));
  let outputs;
  try {
    outputs = oprf.finalizeBatch(items, publicKey, proof);
  } catch {
    demand(false, "proof", "the answer is not by the key of the list");
  }
  return outputs.map((output) => output.subarray(0, ENTRY));
}

function cut(bytes) {
  demand(bytes.length > 0 && bytes.length % SIZE === 0, "count", `${bytes.length} bytes are no elements`);
  const out = [];
  for (let i = 0; i < bytes.length; i += SIZE) out.push(bytes.subarray(i, i + SIZE));
  for (const element of out) demandElement(element, "element");
  return out;
}

function demandElement(bytes, code) {
  let point;
  try {
    point = ristretto255.Point.fromBytes(bytes);
  } catch {
    demand(false, code, "no element of the group");
  }
  demand(!point.equals(ristretto255.Point.ZERO) && equalBytes(point.toBytes(), bytes), code, "the identity, or another encoding");
}

const reduced = (scalar) => BigInt(`0x${hex(scalar.slice().reverse())}`) < ed25519.Point.Fn.ORDER;

/** Reads a list of `bucket` entries; its `has` takes an entry in hex. */
export function parseList(bytes, bucket) {
  const body = bytes.subarray(HEAD.length);
  demand(equalBytes(bytes.subarray(0, HEAD.length), HEAD) && body.length === bucket * ENTRY, "list", "not a list of that size");
  demand(bucket >= 1024 && bucket <= 2097152 && (bucket & (bucket - 1)) === 0, "list", `${bucket} entries are no bucket`);
  const entries = new Set();
  let last;
  for (let i = 0; i < body.length; i += ENTRY) {
    const entry = body.subarray(i, i + ENTRY);
    demand(last === undefined || compareBytes(last, entry) < 0, "list", "the entries do not ascend");
    entries.add(hex(entry));
    last = entry;
  }
  return entries;
}
