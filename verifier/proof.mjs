// Proof files and fork objects, and the verdict on them (protocol.md#proof, #fork).
// It never asks a node, a network or a clock: the verdict follows from the file and the charters that a person trusts.
import { decode, demand, equalBytes, holds } from "./canonical.mjs";
import { algorithmsDemanded, parseChannel } from "./channel.mjs";
import { linkCharters, parseCharter, postKeys } from "./charter.mjs";
import { demandSignatures } from "./envelope.mjs";
import { algorithmName, hex } from "./key.mjs";
import { foldConsistency, foldInclusion, leafHash } from "./merkle.mjs";
import { cosignatureBy, demandAuthor, parseCheckpoint } from "./note.mjs";
import { demandFields, isArrayOf, isHash, isUint, parseFeedName } from "./shapes.mjs";
import { addressees, parseStatement } from "./statement.mjs";

export const PROOF_LIMIT = 4 << 20;
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
  demand(Array.isArray(adoptions) && (adoptions.length > 0 || !map.has("adoptions")), SHAPE, "adoptions is not an array, or empty");
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

function parseEntry(map) {
  const [index, bytes, path] = [map.get("index"), map.get("statement"), map.get("path")];
  demand(isUint(index) && isBytes(bytes) && isPath(path), SHAPE, "an entry is not an index, a statement and a path of hashes");
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
export function judgeProof(proof, trusted) {
  const { feed, channel, checkpoint, entry } = proof;
  const { statement } = entry;
  const chains = linkCharters(trusted, proof.charters);
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
  const parties = addressees(statement, channel.members);
  const missing = parties.filter((party) => !receipts.some((receipt) => receipt.party === party));
  return {
    statement, channel, chain,
    position: { origin: feed.origin, epoch: feed.epoch, index: entry.index, size: checkpoint.size, root: checkpoint.root },
    keys, checkpointSigned, receipts, remarks, addressees: parties,
    level: parties.length > 0 && missing.length === 0 ? "E2" : "E1",
  };
}

function chainOf(chains, party, channel) {
  const chain = chains.get(party);
  demand(chain, "untrusted", `no trusted charter of ${party} was given`);
  demand(!channel || isMember(chain, party, channel), "untrusted", `the trusted charter of ${party} is not that of the channel's member of that name`);
  return chain;
}

const isMember = (chain, party, channel) => equalBytes(chain.genesis, channel.genesis.get(party));

// The checkpoint of size n is judged by the charter that entry n-1 names. When the proof does not show that entry,
// any version from the statement's upwards may be the one, since versions never decrease along a feed.
function demandIssuersCheckpoint({ feed, checkpoint, entry }, chain) {
  const version = entry.statement.charter;
  const own = chain.version(version);
  demand(own, "charter-unknown", `version ${version} of the charter of ${feed.party} is not linked to a trusted one`);
  const isLast = entry.index === checkpoint.size - 1n;
  return demandAuthor(checkpoint, feed.origin, checkpointKeysOf(isLast ? [own] : [own, ...chain.after(version)]));
}

const checkpointKeysOf = (charters) => charters.map(({ node }) => [node.get("checkpoint"), node.get("checkpoint-pq")]);

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
// thief could copy it, though, into a tree of his own: so the checkpoint must be of that charter or a newer one too.
function demandNotWithdrawn({ feed, entry, checkpoint, adoptions }, chain, keys) {
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
      demandAuthor(checkpoint, feed.origin, checkpointKeysOf([chain.version(adopted), ...chain.after(adopted)]));
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
    for (const { key, time, counts, why } of mirrorCosignatures(checkpoint, name, chain)) {
      if (counts) receipts.push({ party, algorithm: algorithmName(key.alg), time, key: key.id });
      else remarks.push(`a cosignature by ${party} with ${algorithmName(key.alg)} ${why}: not counted`);
    }
  }
  return { receipts, remarks };
}

// Every version that holds the key judges its cosignatures; what a later version revokes counts only before `since`.
function mirrorCosignatures(checkpoint, name, chain) {
  const keys = new Map();
  for (const charter of chain.versions) {
    for (const use of ["mirror", "mirror-pq"]) {
      const key = charter.node.get(use);
      if (!keys.has(hex(key.id))) keys.set(hex(key.id), { key, first: charter.version });
    }
  }
  return [...keys.values()].flatMap(({ key, first }) => {
    const revocations = chain.after(first).flatMap(({ revoked }) => revoked).filter(({ id }) => equalBytes(id, key.id));
    const cosignature = cosignatureBy(checkpoint, name, key);
    if (!cosignature) return [];
    const { time, verifies } = cosignature;
    if (!verifies) return [{ key, counts: false, why: "does not verify" }];
    return [{ key, time, counts: revocations.every(({ since }) => time < since), why: "is not before its key was revoked" }];
  });
}

/** The verdict on a parsed fork object. Throws the Refusal, or returns who is convicted, on which feed, by what. */
export function judgeFork(fork, trusted) {
  const { feed, smaller, larger, path } = fork;
  const chain = chainOf(linkCharters(trusted, fork.charters), feed.party);
  const signed = [smaller, larger].map((checkpoint) => demandAuthor(checkpoint, feed.origin, checkpointKeysOf(chain.versions)));
  if (smaller.size === larger.size) {
    demand(!equalBytes(smaller.root, larger.root), "no-fork", "the two checkpoints are the same");
  } else {
    const folded = foldConsistency(smaller.size, larger.size, path);
    demand(folded && equalBytes(folded.larger, larger.root), "no-fork", "the path does not fold to the larger root");
    demand(!equalBytes(folded.smaller, smaller.root), "no-fork", "the two checkpoints are consistent");
  }
  return { feed, smaller, larger, checkpointSigned: signed.flat() };
}

/** What a decoded file is: "proof", "fork" or undefined. */
export function kindOf(value) {
  if (!(value instanceof Map)) return undefined;
  return { [PROOF_TYPE]: "proof", [FORK_TYPE]: "fork" }[value.get("type")];
}

export const decodeFile = (bytes) => decode(bytes, PROOF_LIMIT);
