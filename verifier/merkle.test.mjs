// Every path of every small tree, made by the recursive definitions of RFC 6962 and folded by the loops of RFC 9162.
import assert from "node:assert/strict";
import { test } from "node:test";
import { hex, sha256 } from "./key.mjs";
import { foldConsistency, foldInclusion, leafHash } from "./merkle.mjs";
import { Feed, makeLink } from "./producer.mjs";

const MOST = 20;
const link = makeLink(["alpha", new Uint8Array()], ["bravo", new Uint8Array()]);
const feed = new Feed({ party: "alpha" }, link).append(...Array.from({ length: MOST }, (_, i) => new Uint8Array([i])));
const stray = sha256(link);
const same = (a, b) => a !== undefined && hex(a) === hex(b);

test("an inclusion path gives the root for its own index and size, and for no other", () => {
  for (let size = 1; size <= MOST; size++) {
    for (let index = 0; index < size; index++) {
      const [leaf, path, root] = [leafHash(feed.entries[index]), feed.inclusion(index, size), feed.root(size)];
      assert.ok(same(foldInclusion(leaf, index, size, path), root), `${index} of ${size}`);
      for (let other = 0; other <= size; other++) {
        if (other !== index) assert.ok(!same(foldInclusion(leaf, other, size, path), root), `${index} of ${size} as ${other}`);
      }
      assert.equal(foldInclusion(leaf, index, size, [...path, stray]), undefined);
      if (path.length > 0) assert.equal(foldInclusion(leaf, index, size, path.slice(1)), undefined);
    }
  }
});

test("a consistency path gives both roots, and one hash more or less gives none", () => {
  for (let n = 2; n <= MOST; n++) {
    for (let m = 1; m < n; m++) {
      const path = feed.consistency(m, n);
      const folded = foldConsistency(m, n, path);
      assert.ok(folded && same(folded.smaller, feed.root(m)) && same(folded.larger, feed.root(n)), `${m} to ${n}`);
      assert.equal(foldConsistency(m, n, [...path, stray]), undefined);
      assert.equal(foldConsistency(m, n, path.slice(1)), undefined);
    }
  }
  for (const [m, n] of [[0, 1], [1, 1], [2, 1]]) assert.equal(foldConsistency(m, n, [stray]), undefined);
});
