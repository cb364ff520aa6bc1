// The charters of parties: what they hold, who approved them, how they follow one another (protocol.md#charter).
// It never trusts a charter by itself: trust begins at the charters that a person gives beside the proof.
import { compareBytes, decode, demand, encode, equalBytes, Refusal } from "./canonical.mjs";
import { CHARTER_TYPE, keyOf, parseEnvelope } from "./envelope.mjs";
import { ED25519, hex, ML_DSA_44, parseKey, SEALING_KEM, sha256, verify } from "./key.mjs";
import { demandFields, isArrayOf, isHash, isParty, isPlane, isPost, isText, isTime, isUint } from "./shapes.mjs";

export const CHARTER_LIMIT = 262144;
export const CHARTER_FILE_LIMIT = 4 << 20;
const CHARTER_FILE_TYPE = "detente-charters.v1";
const MAY = ["receive", "acknowledge", "answer", "commit"];
const NODE_KEYS = new Map([
  ["checkpoint", ED25519], ["checkpoint-pq", ML_DSA_44], ["mirror", ED25519], ["mirror-pq", ML_DSA_44],
  ["bundle", ED25519], ["transport", ED25519], ["sealing", SEALING_KEM],
]);

/**
 * Parses a charter, checks that it is one and that its own roots approve it.
 * @returns {Charter} `hash`, `party`, `version`, `previous`, `name`, `issued`, `need`, `roots` (arrays of keys),
 *   `posts` (Map from post to arrays of `{plane, key}`), `node` (Map from use to key), `revoked`, `envelope`.
 */
export function parseCharter(bytes) {
  const envelope = parseEnvelope(bytes, CHARTER_LIMIT, CHARTER_TYPE);
  const map = decode(envelope.payload, CHARTER_LIMIT);
  demandFields(map, ["party", "name", "version", "issued", "roots", "posts", "node", "languages", "routes"], ["previous", "revoked"], "charter", "the charter");
  const charter = {
    hash: sha256(bytes), envelope, party: map.get("party"), version: map.get("version"), previous: map.get("previous"),
    name: map.get("name"), issued: map.get("issued"), languages: map.get("languages"), routes: map.get("routes"),
  };
  demand(isParty(charter.party), "charter", "the party is not a party id");
  demand(isUint(charter.version, 1) && Number.isSafeInteger(charter.version), "charter", "the version is not a number from 1");
  demand(charter.version === 1 ? !charter.previous : isHash(charter.previous), "charter", "version 1, and only it, has no previous");
  demand(isTime(charter.issued), "charter", "issued is not a time");
  demand(charter.name instanceof Map && [...charter.name].flat().every((text) => isText(text, 1)), "charter", "the name is not a map from language to text");
  demand(isArrayOf(charter.languages, (tag) => isText(tag, 1)), "charter", "the languages are not tags");
  demand(isArrayOf(charter.routes, (route) => Array.isArray(route) && route.length === 2 && isArrayOf(route, isText)), "charter", "the routes are not [route, address]");
  Object.assign(charter, parseRoots(map.get("roots")));
  charter.posts = parsePosts(map.get("posts"));
  demandFields(map.get("node"), [...NODE_KEYS.keys()], [], "charter", "node");
  charter.node = new Map([...NODE_KEYS].map(([use, alg]) => [use, parseKey(map.get("node").get(use), "charter", alg)]));
  charter.revoked = parseRevoked(map.get("revoked"));
  demandEachKeyOnce(charter);
  demand(approvals(charter, charter) >= charter.need, "not-approved", `version ${charter.version} of ${charter.party} is not approved by ${charter.need} of its own roots`);
  return charter;
}

function parseRoots(value) {
  demandFields(value, ["need", "roots"], [], "charter", "roots");
  const need = value.get("need");
  const holders = value.get("roots");
  demand(isArrayOf(holders, (keys) => Array.isArray(keys) && keys.length > 0), "charter", "a root is not a set of keys");
  demand(isUint(need, 1) && need <= holders.length, "charter", `${need} roots of ${holders.length} cannot approve`);
  return { need, roots: holders.map((keys) => keys.map((key) => parseKey(key, "charter"))) };
}

function parsePosts(value) {
  demand(Array.isArray(value), "charter", "posts is not an array");
  const posts = new Map();
  const order = new Ascending();
  for (const entry of value) {
    demandFields(entry, ["post", "may", "keys"], [], "charter", "a post");
    const post = entry.get("post");
    demand(isPost(post), "charter", "a post is not a post id");
    demand(order.follows(post) === 1, "charter", `post ${post} is out of order`);
    demand(isArrayOf(entry.get("may"), (right) => MAY.includes(right)), "charter", `post ${post} may do what is not in the list`);
    posts.set(post, parsePostKeys(post, entry.get("keys")));
  }
  return posts;
}

function parsePostKeys(post, value) {
  demand(isArrayOf(value, (pair) => Array.isArray(pair) && pair.length === 2 && isPlane(pair[0])), "charter", `the keys of ${post} are not [plane, key]`);
  const order = new Ascending();
  return value.map(([plane, key]) => {
    demand(order.follows(plane) >= 0, "charter", `the planes of ${post} are out of order`);
    return { plane, key: parseKey(key, "charter") };
  });
}

// Remembers the encoding of the item before: 1 when the next one follows it, 0 when it repeats it, -1 when it precedes it.
class Ascending {
  follows(value) {
    const encoded = encode(value);
    const order = this.last ? compareBytes(encoded, this.last) : 1;
    this.last = encoded;
    return order;
  }
}

function parseRevoked(value) {
  if (value === undefined) return [];
  demand(Array.isArray(value), "charter", "revoked is not an array");
  return value.map((entry) => {
    demandFields(entry, ["key", "since", "reason"], [], "charter", "a revocation");
    const [id, since] = [entry.get("key"), entry.get("since")];
    demand(id instanceof Uint8Array && id.length === 16 && isTime(since) && isText(entry.get("reason")), "charter", "a revocation has a field that is not one");
    return { id, since };
  });
}

function demandEachKeyOnce({ roots, posts, node }) {
  const ids = [...roots.flat(), ...[...posts.values()].flat().map(({ key }) => key), ...node.values()].map(({ id }) => hex(id));
  demand(new Set(ids).size === ids.length, "charter", "a key stands twice in the charter");
}

/** How many of the roots of `by` have approved `charter`: all keys of a root must have signed. */
function approvals(charter, by) {
  const signed = (key) => charter.envelope.signers.some((s) => keyOf(s, [key]) && verify(key, s.signed, s.signature));
  return by.roots.filter((keys) => keys.every(signed)).length;
}

/** Demands that `next` is the version after `charter`: named by hash, of the same party, approved by the older roots. */
function demandSuccession(charter, next) {
  const name = `version ${next.version} of ${next.party}`;
  demand(charter.party === next.party && BigInt(next.version) === BigInt(charter.version) + 1n && equalBytes(next.previous, charter.hash), "chain", `${name} does not follow version ${charter.version}`);
  demand(approvals(next, charter) >= charter.need, "not-approved", `${name} is not approved by ${charter.need} roots of version ${charter.version}`);
}

/** The post's keys on a plane. */
export const postKeys = (charter, post, plane) => (charter.posts.get(post) ?? []).filter((entry) => entry.plane === plane).map((entry) => entry.key);

/** Whether a decoded value is a charter file, `["detente-charters.v1", [charter bytes, …]]`. */
export const isCharterFile = (value) => Array.isArray(value) && value[0] === CHARTER_FILE_TYPE;

/** The charters of a decoded charter file. */
export function parseCharterFile(value) {
  demand(value.length === 2 && isArrayOf(value[1], (bytes) => bytes instanceof Uint8Array), "charter", "a charter file is its type and an array of charters");
  return value[1].map(parseCharter);
}

/** A party's charters from `first` to `newest`, each linked to the next one. At least one of them was given as trusted. */
class Chain {
  constructor(held) {
    this.held = held;
    this.versions = [...held.values()].sort((a, b) => a.version - b.version);
  }
  get newest() {
    return this.versions.at(-1);
  }
  version(n) {
    return this.held.get(n);
  }
  after(n) {
    return this.versions.filter((charter) => charter.version > n);
  }
  /** The hash of version 1, or undefined when the chain does not reach so far down. */
  get genesis() {
    return this.version(1)?.hash;
  }
}

/**
 * Builds the chains of all parties of which a trusted charter was given, from `trusted` and from those of `offered`
 * that a chain links to them.
 * @returns {Map<string, Chain>} by party
 */
export function linkCharters(trusted, offered = []) {
  const chains = new Map();
  for (const party of new Set(trusted.map((charter) => charter.party))) {
    const own = distinct(trusted.filter((charter) => charter.party === party));
    const held = new Map();
    for (const charter of own) {
      demand(!held.has(charter.version), "chain", `two charters of version ${charter.version} of ${party} are trusted`);
      held.set(charter.version, charter);
    }
    for (const charter of own) if (held.has(charter.version + 1)) demandSuccession(charter, held.get(charter.version + 1));
    extend(held, distinct(offered.filter((charter) => charter.party === party)));
    chains.set(party, new Chain(held));
  }
  return chains;
}

// Adds what the offered charters link to the held ones: down by the hash that a held charter names, up by
// the approval of a held charter's roots. Two approved successors of one charter are a party speaking twice.
function extend(held, offered) {
  const byHash = new Map(offered.map((charter) => [hex(charter.hash), charter]));
  for (const charter of [...held.values()]) {
    for (let child = charter, parent; child.previous && !held.has(child.version - 1); child = parent) {
      parent = byHash.get(hex(child.previous));
      if (!parent || !succeeds(parent, child)) break;
      held.set(parent.version, parent);
    }
  }
  const byPrevious = new Map();
  for (const charter of offered) {
    if (!charter.previous) continue;
    const siblings = byPrevious.get(hex(charter.previous));
    if (siblings) siblings.push(charter);
    else byPrevious.set(hex(charter.previous), [charter]);
  }
  for (const charter of [...held.values()]) {
    for (let parent = charter; parent && !held.has(parent.version + 1); parent = held.get(parent.version + 1)) {
      const next = (byPrevious.get(hex(parent.hash)) ?? []).filter((child) => succeeds(parent, child));
      demand(next.length <= 1, "chain", `two charters of version ${parent.version + 1} of ${parent.party} are approved`);
      if (next.length === 1) held.set(next[0].version, next[0]);
    }
  }
}

function succeeds(charter, next) {
  try {
    demandSuccession(charter, next);
    return true;
  } catch (error) {
    if (error instanceof Refusal) return false;
    throw error;
  }
}

const distinct = (charters) => [...new Map(charters.map((charter) => [hex(charter.hash), charter])).values()];

/** The fingerprint of a charter, 16 bytes. */
export const fingerprint = (charter) => charter.hash.subarray(0, 16);

/** The fingerprint as 16 words: bytes at even places from the first list of 256, at odd places from the second. */
export const fingerprintWords = (bytes, [even, odd]) => [...bytes].map((byte, place) => (place % 2 === 0 ? even : odd)[byte]);
