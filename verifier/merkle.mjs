// Inclusion and consistency in the Merkle tree of RFC 6962 section 2.
// It never builds a tree: it folds paths to roots, for the caller to compare with what was signed.
import { concatBytes, sha256 } from "./key.mjs";

const LEAF = new Uint8Array([0]);
const NODE = new Uint8Array([1]);

export const leafHash = (bytes) => sha256(concatBytes(LEAF, bytes));
const nodeHash = (left, right) => sha256(concatBytes(NODE, left, right));

/** The root that the inclusion path gives to `leaf` at `index` of `size`, or undefined when the path has not its length. */
export function foldInclusion(leaf, index, size, path) {
  let [node, last] = [BigInt(index), BigInt(size) - 1n];
  if (node > last) return undefined;
  let root = leaf;
  for (const hash of path) {
    if (last === 0n) return undefined;
    if (isRight(node) || node === last) {
      root = nodeHash(hash, root);
      [node, last] = climb(node, last);
    } else {
      root = nodeHash(root, hash);
    }
    [node, last] = [node >> 1n, last >> 1n];
  }
  return last === 0n ? root : undefined;
}

/**
 * The two roots, of sizes m < n, that a consistency path gives, or undefined when it has not its length. The path
 * begins with the subtree that both roots contain, also where m is a power of two and RFC 6962 leaves it out.
 */
export function foldConsistency(m, n, path) {
  let [node, last] = [BigInt(m) - 1n, BigInt(n) - 1n];
  if (node < 0n || node >= last || path.length === 0) return undefined;
  while (isRight(node)) [node, last] = [node >> 1n, last >> 1n];
  let [smaller, larger] = [path[0], path[0]];
  for (const hash of path.slice(1)) {
    if (last === 0n) return undefined;
    if (isRight(node) || node === last) {
      smaller = nodeHash(hash, smaller);
      larger = nodeHash(hash, larger);
      [node, last] = climb(node, last);
    } else {
      larger = nodeHash(larger, hash);
    }
    [node, last] = [node >> 1n, last >> 1n];
  }
  return last === 0n ? { smaller, larger } : undefined;
}

const isRight = (node) => (node & 1n) === 1n;

// A node at the right edge has no sibling until the level where it is a right child.
function climb(node, last) {
  while (!isRight(node) && node !== 0n) [node, last] = [node >> 1n, last >> 1n];
  return [node, last];
}

