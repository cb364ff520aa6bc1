// Proof files and fork objects, and the verdict on them (protocol.md#proof, #fork).
// It never asks a node, a network or a clock: the verdict follows from the file and the charters that a person trusts.
import { decode, demand, equalBytes, holds } from "./canonical.mjs";
import { algorithmsDemanded, parseChannel } from "./channel.mjs";
import { linkCharters, parseCharter, postKeys } from "./charter.mjs";
import { demandSignatures } from "./envelope.mjs";
import { algorithmName, ED25519, hex } from "./key.mjs";
import { foldConsistency, foldInclusion, leafHash } from "./merkle.mjs";
import { checkLines, demandAuthor, parseCheckpoint } from "./note.mjs";
import { demandFields, isArrayOf, isHash, isUint, parseFeedName } from "./shapes.mjs";
import { addressees, parseStatement } from "./statement.mjs";

export const PROOF_LIMIT = 4 << 20;
const FORK_LIMIT = 1 << 20;
const PROOF_TYPE = "detente-proof.v1";
const FORK_TYPE = "detente-fork.v1";
const SHAPE = "proof-shape";
const MAX_PATH = 64;

const isBytes = (value) => value instanceof Uint8Array;
const isPath = (value) => isArrayOf(value, isHash) && value.length <= MAX_PATH;

/** Parses a proof file that decode has read. Charters in it are parsed, not trusted. */
export function parseProof(map) {
  demandFields(map, ["type", "channel", "feed", "index", "statement", "path", "checkpoint", "charters"], ["adoptions"], SHAPE, "the proof");
  const adoptions = map.get("adoptions") ?? [];
  demand(Array.isArray(adoptions) && adoptions.length === (map.has("adoptions") ? 1 : 0), SHAPE, "adoptions is not an array of one");
  demand(isBytes(map.get("channel")), SHAPE, "the channel's charter is not bytes");
  return {
    feed: parseFeedName(map.get("feed"), SHAPE),
    channel: parseChannel(map.get("channel")),
    checkpoint: parseNoteField(map, "checkpoint"),
    entry: parseEntry(map),
    adoptions: adoptions.map((adoption) => {
      demandFields(adoption, ["index", "statement", "path"], [], SHAPE, "an adoption");
      return parseEntry(adoption);
    }),
    charters: parseCharters(map),
  };
}

/** Parses what a proof and a case have of one entry of a feed. */
export function parseEntry(map, code = SHAPE) {
  const [index, bytes, path] = [map.get("index"), map.get("statement"), map.get("path")];
  demand(isUint(index) && isBytes(bytes) && isPath(path), code, "an entry is not an index, a statement and a path of hashes");
  return { index: BigInt(index), path, leaf: leafHash(bytes), statement: parseStatement(bytes) };
}

function parseNoteField(map, name) {
  demand(typeof map.get(name) === "string", SHAPE, `${name} is not a note`);
  return parseCheckpoint(map.get(name));
}

function parseCharters(map) {
  demand(isArrayOf(map.get("charters"), isBytes), SHAPE, "charters is not an array of charters");
  return map.get("charters").map(parseCharter);
}

/** Parses a fork object that decode has read. */
export function parseFork(map) {
  demandFields(map, ["type", "feed", "smaller", "larger", "path", "charters"], [], SHAPE, "the fork");
  demand(isPath(map.get("path")), SHAPE, "the path is not an array of hashes");
  return {
    feed: parseFeedName(map.get("feed"), SHAPE),
    smaller: parseNoteField(map, "smaller"),
    larger: parseNoteField(map, "larger"),
    path: map.get("path"),
    charters: parseCharters(map),
  };
}

/**
 * The verdict on a parsed proof, in the order of protocol.md#proof. Throws the Refusal, or returns what is proved.
 * @param {Charter[]} trusted the charters that a person gives beside the proof
 */
export const judgeProof = (proof, trusted) => judgeLinked(proof, linkCharters(trusted, proof.charters));

/** The verdict on a parsed proof by charters that are linked already. */
export function judgeLinked(proof, chains) {
  const { feed, channel, checkpoint, entry } = proof;
  const { statement } = entry;
  demand(equalBytes(channel.id, feed.channel), "wrong-feed", "the channel's charter is not that of the feed's channel");
  demand(channel.members.includes(feed.party), "wrong-feed", `${feed.party} is not a member of the channel`);
  const chain = chainOf(chains, feed.party, channel);
  const checkpointSigned = demandIssuersCheckpoint(proof, chain);
  demandIncluded(entry, checkpoint);
  demandOnFeed(statement, feed);
  const keys = demandSigned(statement, chain);
  demandForChannel(statement, channel);
  demandNotWithdrawn(proof, chain, keys);

  const { receipts, remarks } = collectReceipts(proof, chains);
  if (areWithdrawn(checkpointSigned, chain)) remarks.push("the checkpoint is signed by withdrawn keys alone: whoever had them may have put the statement in this place");
  const parties = addressees(statement, channel.members);
  const missing = parties.filter((party) => !receipts.some((receipt) => receipt.party === party));
  return {
    statement, channel, chain,
    position: { origin: feed.origin, epoch: feed.epoch, index: entry.index, size: checkpoint.size, root: checkpoint.root },
    keys: keys.map(withdrawnBy(chain)), checkpointSigned: checkpointSigned.map(({ key }) => withdrawnBy(chain)(key)), receipts, remarks, addressees: parties,
    level: parties.length > 0 && missing.length === 0 ? "E2" : "E1",
  };
}

/** The trusted chain of a party, on a channel that of the member. */
export function chainOf(chains, party, channel) {
  const chain = chains.get(party);
  demand(chain, "untrusted", `no trusted charter of ${party} was given`);
  demand(!channel || isMember(chain, party, channel), "untrusted", `the trusted charter of ${party} is not that of the channel's member of that name`);
  return chain;
}

const isMember = (chain, party, channel) => equalBytes(chain.genesis, channel.genesis.get(party));

// The checkpoint of size n is judged by the charter that the last valid entry below n names. When the proof does not show
// that entry, any version from the statement's upwards may be the one, since versions never decrease along a feed.
function demandIssuersCheckpoint({ feed, checkpoint, entry }, chain) {
  demand(entry.statement.party === feed.party, "not-issuer", "the statement is issued by another party than the feed's");
  const version = entry.statement.charter;
  const own = chain.version(version);
  demand(own, "charter-unknown", `version ${version} of the charter of ${feed.party} is not linked to a trusted one`);
  const isLast = entry.index === checkpoint.size - 1n;
  return demandAuthor(checkpoint, feed.origin, checkpointKeysOf(isLast ? [own] : [own, ...chain.after(version)]));
}

// The keys with which these versions sign checkpoints, each once.
export const checkpointKeysOf = (charters) => keysOf(charters, ["checkpoint", "checkpoint-pq"]);

const keysOf = (charters, uses) =>
  [...new Map(charters.flatMap(({ node }) => uses.map((use) => node.get(use))).map((key) => [hex(key.id), key])).values()];

/** Demands that an entry, valid or not, stands in a tree that its party has signed. */
export function demandLogged({ feed, channel, checkpoint, entry }, chains) {
  demandAuthor(checkpoint, feed.origin, checkpointKeysOf(chainOf(chains, feed.party, channel).versions));
  demandIncluded(entry, checkpoint);
}

function demandIncluded({ leaf, index, path }, checkpoint) {
  const root = foldInclusion(leaf, index, checkpoint.size, path);
  demand(root && equalBytes(root, checkpoint.root), "not-included", `the statement is not at index ${index} under the checkpoint`);
}

function demandOnFeed(statement, feed) {
  demand(statement.party === feed.party, "not-issuer", "the statement is issued by another party than the feed's");
  const same = equalBytes(statement.channel, feed.channel) && statement.plane === feed.plane && statement.precedence === feed.precedence;
  demand(same, "wrong-feed", "the statement names another channel, plane or precedence than the feed's");
}

function demandSigned(statement, chain) {
  const charter = chain.version(statement.charter);
  demand(charter, "charter-unknown", `version ${statement.charter} of the issuer's charter is not linked to a trusted one`);
  return demandSignatures(statement.envelope, postKeys(charter, statement.post, statement.plane));
}

function demandForChannel(statement, channel) {
  for (const alg of algorithmsDemanded(channel, statement.form)) {
    demand(statement.envelope.signers.some((signer) => signer.alg === alg), "signatures-missing", `the channel demands a signature with ${algorithmName(alg)}`);
  }
  demand(channel.posts.length === 0 || channel.posts.includes(statement.post), "not-allowed-post", `post ${statement.post} may not speak on the channel`);
  const [to] = statement.audience.split("/");
  demand(to === "*" || channel.members.includes(to), "wrong-audience", `${to} is not a member of the channel`);
}

// A newer charter that lacks a key makes it matter when the statement was written. What shows it is a later entry
// that the party wrote under a charter without that key: whoever stole the key could not have written that one. The
// thief could copy it, though, into a tree of his own: so the checkpoint must be of that charter or a newer one too, and
// its key one that nobody can have stolen.
function demandNotWithdrawn({ feed, channel, entry, checkpoint, adoptions }, chain, keys) {
  const { post, plane, charter } = entry.statement;
  const lacks = (newer) => keys.some((key) => !postKeys(newer, post, plane).some(({ id }) => equalBytes(id, key.id)));
  const withdrawing = chain.after(charter).find(lacks);
  if (!withdrawing) return;
  const shown = adoptions.some((adoption) => {
    const { charter: adopted } = adoption.statement;
    if (adoption.index <= entry.index || adopted < withdrawing.version) return false;
    return holds(() => {
      demandIncluded(adoption, checkpoint);
      demandOnFeed(adoption.statement, feed);
      demandSigned(adoption.statement, chain);
      demandForChannel(adoption.statement, channel);
      const signed = demandAuthor(checkpoint, feed.origin, checkpointKeysOf([chain.version(adopted), ...chain.after(adopted)]));
      const isSound = signed.some(({ key }) => key.alg === ED25519 && chain.revokedSince(key.id) === undefined);
      demand(isSound, "checkpoint-signature", "the checkpoint is signed by a withdrawn key");
    });
  });
  demand(shown, "withdrawn", `version ${withdrawing.version} of the issuer's charter lacks a key that signed, and no later entry of the feed that adopts it is shown`);
}

function collectReceipts({ feed, channel, checkpoint }, chains) {
  const receipts = [];
  const remarks = [];
  for (const party of channel.members.filter((member) => member !== feed.party)) {
    const name = `detente.v1/${party}/mirror`;
    if (!checkpoint.lines.some((line) => line.name === name)) continue;
    const chain = chains.get(party);
    if (!chain || !isMember(chain, party, channel)) {
      remarks.push(`${party} cosigned, but no trusted charter of it was given: not counted`);
      continue;
    }
    const { good, bad } = checkLines(checkpoint, name, keysOf(chain.versions, ["mirror", "mirror-pq"]), false);
    for (const { key } of bad) remarks.push(`a cosignature by ${party} with ${algorithmName(key.alg)} does not verify: not counted`);
    for (const { key, time } of good) {
      const since = chain.revokedSince(key.id);
      if (since === undefined || time < since) receipts.push({ party, algorithm: algorithmName(key.alg), time, key: key.id });
      else remarks.push(`a cosignature by ${party} with ${algorithmName(key.alg)} is not before its key was revoked: not counted`);
    }
  }
  return { receipts, remarks };
}

const withdrawnBy = (chain) => (key) => ({ key, withdrawn: chain.revokedSince(key.id) });
const areWithdrawn = (signed, chain) => signed.every(({ key }) => chain.revokedSince(key.id) !== undefined);

/**
 * The verdict on a parsed fork object. Throws the Refusal, or returns who is convicted, on which feed, by what. `doubtful`
 * is true when one of the two checkpoints is signed by withdrawn keys alone: then a thief may have signed it.
 */
export function judgeFork(fork, trusted) {
  const { feed, smaller, larger, path } = fork;
  const chain = chainOf(linkCharters(trusted, fork.charters), feed.party);
  const signed = [smaller, larger].map((checkpoint) => demandAuthor(checkpoint, feed.origin, checkpointKeysOf(chain.versions)));
  demand(smaller.size >= 1n && smaller.size <= larger.size, "no-fork", "the first checkpoint is empty, or larger than the second");
  if (smaller.size === larger.size) {
    demand(!equalBytes(smaller.root, larger.root), "no-fork", "the two checkpoints are the same");
    demand(path.length === 0, "no-fork", "there is no path between trees of one size");
  } else {
    const folded = foldConsistency(smaller.size, larger.size, path);
    demand(folded && equalBytes(folded.larger, larger.root), "no-fork", "the path does not fold to the larger root");
    demand(!equalBytes(folded.smaller, smaller.root), "no-fork", "the two checkpoints are consistent");
  }
  const keys = new Map(signed.flat().map(({ key }) => [hex(key.id), key]));
  const checkpointSigned = [...keys.values()].map(withdrawnBy(chain));
  return { feed, smaller, larger, checkpointSigned, doubtful: signed.some((side) => areWithdrawn(side, chain)) };
}

/** What a decoded file is: "proof", "fork" or undefined. */
export function kindOf(value) {
  if (!(value instanceof Map)) return undefined;
  return { [PROOF_TYPE]: "proof", [FORK_TYPE]: "fork" }[value.get("type")];
}

/** Decodes a proof file, fork object or charter file. */
export function decodeFile(bytes) {
  const value = decode(bytes, PROOF_LIMIT);
  demand(kindOf(value) !== "fork" || bytes.length <= FORK_LIMIT, "too-large", `a fork object of ${bytes.length} bytes`);
  return value;
}
