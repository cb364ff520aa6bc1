// Views: how a member sees the open dossiers of a channel and plane (protocol.md#view).
// It is no part of a verdict, and never says who is right: two views of one basis are equal, or somebody computes wrongly.
import { compareBytes, demand, encode, equalBytes } from "./canonical.mjs";
import { ED25519, sha256 } from "./key.mjs";
import { fromBase64, parseText, verifyText } from "./note.mjs";
import { isHash, isParty, isPlane } from "./shapes.mjs";

const [MOST_OPEN, MOST_LISTED] = [4096, 256];

/** Parses a view and verifies that one of the Ed25519 `keys` signed it. */
export function parseView(note, keys) {
  const parsed = parseText(note);
  demand(parsed && verifyText(parsed, keys.filter(({ alg }) => alg === ED25519)), "view", "not a text signed by the party");
  const [name, count, root, basis, ...rest] = parsed.text.slice(0, -1).split("\n");
  const [version, kind, channel, party, plane, ...more] = name.split("/");
  const isName = version === "detente.v1" && kind === "view" && /^[0-9a-f]{64}$/.test(channel) && isParty(party) && isPlane(plane) && more.length === 0;
  demand(isName && /^(0|[1-9][0-9]{0,3})$/.test(count) && Number(count) <= MOST_OPEN, "view", "the name or the number is not one");
  const listed = rest.map((line) => line.split(" ").map(fromBase64));
  const view = { party, plane, open: Number(count), root: fromBase64(root ?? "!"), basis: fromBase64(basis ?? "!"), listed };
  demand(isHash(view.root) && isHash(view.basis) && listed.every((seen) => seen.length === 2 && seen.every(isHash)), "view", "a hash is not one");
  demand(listed.length === Math.min(view.open, MOST_LISTED), "view", "another number of dossiers is listed");
  demand(listed.every(([id], i) => i === 0 || compareBytes(listed[i - 1][0], id) < 0), "view", "the dossiers do not ascend");
  const whole = listed.length < view.open || equalBytes(sha256(encode(["detente-view.v1", listed])), view.root);
  demand(whole, "view", "the root is not over the dossiers listed");
  return view;
}
