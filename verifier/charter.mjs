// The charters of parties: what they hold, who approved them, how they follow one another (protocol.md#charter).
// It never trusts a charter by itself: trust begins at the charters that a person gives beside the proof.
import { compareBytes, decode, demand, encode, equalBytes, holds } from "./canonical.mjs";
import { CHARTER_TYPE, demandKnown, demandVerified, parseEnvelope } from "./envelope.mjs";
import { ED25519, hex, ML_DSA_44, parseKey, SEALING_KEM, sha256 } from "./key.mjs";
import { areDistinct, demandFields, isArrayOf, isHash, isParty, isPlane, isPost, isReadable, isTag, isTime, isUint } from "./shapes.mjs";

const CHARTER_LIMIT = 262144;
const CHARTER_FILE_TYPE = "detente-charters.v1";
const FINGERPRINT_BYTES = 16;
const MOST = { version: 2 ** 20, roots: 16, rootKeys: 4, posts: 64, postKeys: 32, names: 32, routes: 32, revoked: 1024 };
const MAY = ["receive", "acknowledge", "answer", "commit"];
const NODE_KEYS = new Map([
  ["checkpoint", ED25519], ["checkpoint-pq", ML_DSA_44], ["mirror", ED25519], ["mirror-pq", ML_DSA_44],
  ["bundle", ED25519], ["transport", ED25519], ["sealing", SEALING_KEM],
]);

/**
 * Parses a charter and checks that it is one. Who signed it is judged where the one before it is known, in a chain.
 * @returns {Charter} `hash`, `party`, `version`, `previous`, `name`, `issued`, `need`, `roots` (arrays of keys),
 *   `posts` (Map from post to arrays of `{plane, key}`), `node` (Map from use to key), `revoked`, `keys` and `keyIds`
 *   (all of them), `envelope`.
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
  demand(isUint(charter.version, 1) && charter.version <= MOST.version, "charter", "the version is not a number from 1");
  demand(charter.version === 1 ? !map.has("previous") : isHash(charter.previous), "charter", "version 1, and only it, has no previous");
  demand(isTime(charter.issued), "charter", "issued is not a time");
  const isName = ([language, text]) => isTag(language) && isReadable(text);
  demand(charter.name instanceof Map && isArrayOf([...charter.name], isName, 1, MOST.names), "charter", "the name is not a map from language to text");
  demand(isArrayOf(charter.languages, isTag, 1, MOST.names) && areDistinct(charter.languages), "charter", "the languages are not tags");
  const isRoute = (route) => Array.isArray(route) && route.length === 2 && isTag(route[0]) && isReadable(route[1], 0, 1024);
  demand(isArrayOf(charter.routes, isRoute, 0, MOST.routes), "charter", "the routes are not [route, address]");
  Object.assign(charter, parseRoots(map.get("roots")));
  charter.posts = parsePosts(map.get("posts"));
  demandFields(map.get("node"), [...NODE_KEYS.keys()], [], "charter", "node");
  charter.node = new Map([...NODE_KEYS].map(([use, alg]) => [use, parseKey(map.get("node").get(use), "charter", alg)]));
  charter.revoked = parseRevoked(map.get("revoked"));
  charter.keys = [...charter.roots.flat(), ...[...charter.posts.values()].flat().map(({ key }) => key), ...charter.node.values()];
  charter.keyIds = new Set(charter.keys.map(({ id }) => hex(id)));
  demand(charter.keyIds.size === charter.keys.length, "charter", "a key stands twice in the charter");
  demand(charter.revoked.every(({ id }) => !charter.keyIds.has(hex(id))), "charter", "a key is revoked that the charter holds");
  demand(areDistinct(charter.revoked.map(({ id }) => hex(id))), "charter", "a key is revoked twice");
  return charter;
}

function parseRoots(value) {
  demandFields(value, ["need", "roots"], [], "charter", "roots");
  const need = value.get("need");
  const holders = value.get("roots");
  demand(isArrayOf(holders, (keys) => isArrayOf(keys, () => true, 1, MOST.rootKeys), 1, MOST.roots), "charter", "the roots are not sets of keys");
  demand(isUint(need, 1) && need <= holders.length, "charter", `${need} roots of ${holders.length} cannot approve`);
  return { need, roots: holders.map((keys) => keys.map((key) => parseKey(key, "charter"))) };
}

function parsePosts(value) {
  demand(isArrayOf(value, () => true, 0, MOST.posts), "charter", "posts is not an array, or too long");
  const posts = new Map();
  const order = new Ascending();
  for (const entry of value) {
    demandFields(entry, ["post", "may", "keys"], [], "charter", "a post");
    const post = entry.get("post");
    demand(isPost(post), "charter", "a post is not a post id");
    demand(order.follows(post), "charter", `post ${post} is out of order`);
    const may = entry.get("may");
    demand(isArrayOf(may, (right) => MAY.includes(right)) && areDistinct(may), "charter", `what ${post} may do is not in the list, or twice`);
    posts.set(post, parsePostKeys(post, entry.get("keys")));
  }
  return posts;
}

function parsePostKeys(post, value) {
  const isPair = (pair) => Array.isArray(pair) && pair.length === 2 && isPlane(pair[0]);
  demand(isArrayOf(value, isPair, 0, MOST.postKeys), "charter", `the keys of ${post} are not [plane, key]`);
  const order = new Ascending();
  return value.map((pair) => {
    demand(order.follows(pair), "charter", `the keys of ${post} are out of order`);
    return { plane: pair[0], key: parseKey(pair[1], "charter") };
  });
}

// Remembers the encoding of the item before, to tell whether the next one follows it.
class Ascending {
  follows(value) {
    const encoded = encode(value);
    const follows = !this.last || compareBytes(encoded, this.last) > 0;
    this.last = encoded;
    return follows;
  }
}

function parseRevoked(value) {
  if (value === undefined) return [];
  demand(isArrayOf(value, () => true, 1, MOST.revoked), "charter", "revoked is not an array, or empty, or too long");
  return value.map((entry) => {
    demandFields(entry, ["key", "since", "reason"], [], "charter", "a revocation");
    const [id, since] = [entry.get("key"), entry.get("since")];
    demand(id instanceof Uint8Array && id.length === 16 && isTime(since) && isReadable(entry.get("reason"), 0), "charter", "a revocation has a field that is not one");
    return { id, since };
  });
}

/**
 * Demands that a charter is approved by its own roots and, after version 1, by those of the version before; then that nobody
 * else has signed it.
 */
function demandApproved(charter, previous) {
  const approvers = previous ? [previous, charter] : [charter];
  const signed = demandVerified(charter.envelope, approvers.flatMap(({ roots }) => roots.flat()));
  const ids = new Set(signed.filter((key) => key).map(({ id }) => hex(id)));
  for (const by of approvers) {
    const approving = by.roots.filter((keys) => keys.every(({ id }) => ids.has(hex(id)))).length;
    demand(approving >= by.need, "not-approved",
      `version ${charter.version} of ${charter.party} is approved by ${approving} roots of version ${by.version}, not ${by.need}`);
  }
  demandKnown(charter.envelope, signed);
}

/** Demands that `next` is the version after the last one of `chain`. */
function demandSuccession(chain, next) {
  const last = chain.at(-1);
  const follows = last.party === next.party && next.version === last.version + 1 && equalBytes(next.previous, last.hash);
  demand(follows, "chain", `version ${next.version} of ${next.party} does not follow version ${last.version} of ${last.party}`);
  const withdrawn = chain.flatMap(({ revoked }) => revoked).find(({ id }) => next.keyIds.has(hex(id)));
  demand(!withdrawn, "chain", `version ${next.version} of ${next.party} holds a key again that an earlier one revoked`);
  demandApproved(next, last);
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

/** All charters of a party from version 1 to the newest known, each approved and linked to the one before. */
export class Chain {
  /** Refused with `chain`, `not-approved`, `unknown-key` or `bad-signature` when the charters, in order, are not one. */
  constructor(charters) {
    const [first, ...rest] = charters;
    demand(first?.version === 1, "chain", "a chain of charters begins at version 1");
    demandApproved(first);
    this.versions = [first];
    for (const charter of rest) this.add(charter);
  }
  add(charter) {
    demandSuccession(this.versions, charter);
    this.versions.push(charter);
  }
  get genesis() {
    return this.versions[0].hash;
  }
  get newest() {
    return this.versions.at(-1);
  }
  /** The charter of version n, or undefined. */
  version(n) {
    return this.versions[Number(n) - 1];
  }
  /** Since when the key is revoked: the earliest time that any version gives, or undefined. */
  revokedSince(id) {
    const times = this.versions.flatMap(({ revoked }) => revoked).filter((entry) => equalBytes(entry.id, id)).map(({ since }) => since);
    return times.length > 0 ? Math.min(...times) : undefined;
  }
  /** The charters newer than version n, oldest first. */
  after(n) {
    return this.versions.slice(Number(n));
  }
}

/**
 * Builds the chains of all parties of which a trusted charter was given, from `trusted` and from those of `offered`
 * that a chain links to them: below, by the hashes that the trusted ones name; above, by the approval of their roots.
 * @returns {Map<string, Chain>} by party
 */
export function linkCharters(trusted, offered = []) {
  const chains = new Map();
  for (const party of new Set(trusted.map((charter) => charter.party))) {
    const ofParty = (charters) => distinct(charters.filter((charter) => charter.party === party));
    chains.set(party, linkParty(party, ofParty(trusted), ofParty(offered)));
  }
  return chains;
}

function linkParty(party, trusted, offered) {
  const newest = trusted.reduce((a, b) => (a.version > b.version ? a : b));
  const byHash = new Map([...offered, ...trusted].map((charter) => [hex(charter.hash), charter]));
  const down = [newest];
  for (let lowest = newest; lowest.version > 1; down.unshift(lowest)) {
    lowest = byHash.get(hex(lowest.previous));
    demand(lowest && lowest.version === down[0].version - 1, "chain", `the version before version ${down[0].version} of ${party} is not given`);
  }
  demand(trusted.every((charter) => down.includes(charter)), "chain", `the trusted charters of ${party} do not follow one another`);
  const chain = new Chain(down);
  const byPrevious = groupByPrevious(offered);
  for (let next; (next = successors(chain, byPrevious)).length > 0; chain.add(next[0])) {
    demand(next.length === 1, "chain", `two charters of version ${chain.newest.version + 1} of ${party} are approved`);
  }
  return chain;
}

function groupByPrevious(charters) {
  const groups = new Map();
  for (const charter of charters.filter(({ previous }) => previous)) {
    const group = groups.get(hex(charter.previous));
    if (group) group.push(charter);
    else groups.set(hex(charter.previous), [charter]);
  }
  return groups;
}

// Those that follow the newest and are approved; two of them are a party that speaks with two tongues.
const successors = (chain, byPrevious) =>
  (byPrevious.get(hex(chain.newest.hash)) ?? []).filter((next) => holds(() => demandSuccession(chain.versions, next)));

const distinct = (charters) => [...new Map(charters.map((charter) => [hex(charter.hash), charter])).values()];

/** The fingerprint of a charter, 16 bytes. */
export const fingerprint = (charter) => charter.hash.subarray(0, FINGERPRINT_BYTES);

/** The fingerprint as 16 words: bytes at even places from the first list of 256, at odd places from the second. */
export const fingerprintWords = (bytes, [even, odd]) => [...bytes].map((byte, place) => (place % 2 === 0 ? even : odd)[byte]);

/** The fingerprint that 16 spoken words give, in capitals or not. Refused with `words` when they are not those of the lists in turn. */
export function heardFingerprint(spoken, [even, odd]) {
  const words = spoken.trim().toLowerCase().split(/\s+/);
  demand(words.length === FINGERPRINT_BYTES, "words", `${words.length} words, not ${FINGERPRINT_BYTES}`);
  return Uint8Array.from(words, (word, place) => {
    const byte = (place % 2 === 0 ? even : odd).indexOf(word);
    demand(byte >= 0, "words", `word ${place + 1} is not one that may stand there`);
    return byte;
  });
}
