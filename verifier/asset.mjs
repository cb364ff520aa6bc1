// Verifies that one protected asset is on the list whose head a party published (protocol.md#assets).
// It never takes a weight from the proof: what an entry weighs is computed here.
import { sha256 } from "@noble/hashes/sha2.js";
import { concatBytes, utf8ToBytes } from "@noble/hashes/utils.js";
import { decode, demand, equalBytes, Refusal } from "./canonical.mjs";

const LIMIT = 8192;
const MOST = (1n << 53n) - 1n;
const LABEL = utf8ToBytes("detente.v1 asset\n");
const NOTHING = [0n, 0n, 0n, 0n, 0n];

/** Reads a proof: { party, version, index, salt, entry, path }. That it leads to a head is for verifyAsset to say. */
export function parseAssetProof(bytes) {
  const map = shaped(() => decode(bytes, LIMIT));
  const [party, version, index, salt, entry, path] = ["party", "version", "index", "salt", "entry", "path"].map((key) => map instanceof Map && map.get(key));
  demand(map.size === 7 && map.get("type") === "detente-asset-proof.v1" && /^[a-z0-9-]{2,32}$/.test(party), "proof", "not a proof");
  demand(salt instanceof Uint8Array && salt.length === 32 && Array.isArray(path) && path.length >= 1 && path.length <= 17, "proof", "its salt or path");
  demand(BigInt(index) >= 0n && BigInt(index) < 1n << BigInt(path.length), "proof", "its index");
  const nodes = path.map((bytes) => {
    demand(bytes instanceof Uint8Array && bytes.length === 72, "proof", "a node of its path");
    const sums = NOTHING.map((_, i) => new DataView(bytes.buffer, bytes.byteOffset + 32 + 8 * i, 8).getBigUint64(0));
    demand(sums.every((n) => n <= MOST), "proof", "sums of its path");
    return { hash: bytes.subarray(0, 32), sums };
  });
  weightOf(entry);
  return { party, version: BigInt(version), index: BigInt(index), salt, entry, path: nodes };
}

/** Throws unless the proof leads to the head: { party, version, root, leaves, totals }. */
export function verifyAsset(proof, head) {
  const totals = head.totals.map(BigInt);
  const leaves = BigInt(head.leaves);
  const depth = leaves.toString(2).length - 1;
  demand(depth >= 1 && depth <= 17 && leaves === 1n << BigInt(depth) && totals[0] <= leaves && totals.every((n) => n >= 0n && n <= MOST), "head", "no list has such a head");
  demand(proof.party === head.party && proof.version === BigInt(head.version) && proof.path.length === depth, "root", "a proof of another list");
  const sums = weightOf(proof.entry);
  let at = {
    hash: sha256(concatBytes(Uint8Array.of(0), LABEL, utf8ToBytes(`${proof.party}\n`), numbers([proof.version]), proof.salt, numbers(sums), utf8ToBytes(proof.entry))),
    sums,
  };
  let index = proof.index;
  for (const beside of proof.path) {
    const [left, right] = index & 1n ? [beside, at] : [at, beside];
    const both = left.sums.map((n, i) => n + right.sums[i]);
    demand(both.every((n) => n <= MOST), "root", "sums beyond what a total may be");
    at = { hash: sha256(concatBytes(Uint8Array.of(1), left.hash, numbers(left.sums), right.hash, numbers(right.sums))), sums: both };
    index >>= 1n;
  }
  demand(equalBytes(at.hash, head.root) && at.sums.every((n, i) => n === totals[i]), "root", "the path leads elsewhere");
}

// Entries, IPv4 addresses, IPv6 networks of 64 bits, names, AS numbers.
function weightOf(entry) {
  const [, kind, value] = /^([a-z]+) (\S+)$/.exec(entry) ?? [];
  if (kind === "domain" && /^[a-z0-9_-]+(\.[a-z0-9_-]+)+$/.test(value)) return [1n, 0n, 0n, 1n, 0n];
  if (kind === "asn" && /^AS(0|[1-9]\d{0,9})$/.test(value) && Number(value.slice(2)) <= 0xffffffff) return [1n, 0n, 0n, 0n, 1n];
  if (kind === "ip") return value.includes(":") ? [1n, 0n, 1n, 0n, 0n] : [1n, 1n, 0n, 0n, 0n];
  const [, address, length] = /^([0-9a-f.:]+)\/(\d{1,3})$/.exec(kind === "prefix" ? value : "") ?? [];
  demand(address !== undefined, "proof", `not an entry in its one spelling: ${entry}`);
  const bits = BigInt(length);
  if (!address.includes(":")) return [1n, 1n << (32n - bits), 0n, 0n, 0n];
  demand(bits > 0n && bits <= 128n, "proof", "a length of IPv6");
  return [1n, 0n, bits < 64n ? 1n << (64n - bits) : 1n, 0n, 0n];
}

function numbers(list) {
  const out = new Uint8Array(8 * list.length);
  list.forEach((n, i) => new DataView(out.buffer).setBigUint64(8 * i, n));
  return out;
}

function shaped(read) {
  try {
    return read();
  } catch (error) {
    if (error instanceof Refusal || error instanceof TypeError) throw new Refusal("proof", error.message);
    throw error;
  }
}
