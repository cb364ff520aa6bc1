// Case files: a whole dossier in one file, and the verdict on it (protocol.md#case).
// It never judges what takes the regime: the state, the attachments and the renderings are told, and not compared.
import { compareBytes, decode, demand, equalBytes, holds, Refusal } from "./canonical.mjs";
import { parseChannel } from "./channel.mjs";
import { linkCharters, parseCharter } from "./charter.mjs";
import { ED25519, hex, sha256, utf8ToBytes } from "./key.mjs";
import { parseCheckpoint, parseText, toBase64, verifyText } from "./note.mjs";
import { chainOf, checkpointKeysOf, demandLogged, judgeLinked, parseEntry } from "./proof.mjs";
import { demandFields, isArrayOf, isHash, isPlane, isUint, parseFeedName } from "./shapes.mjs";
import { parseStatement } from "./statement.mjs";

export const CASE_LIMIT = 64 << 20;
const CASE_TYPE = "detente-case.v1";
const SHAPE = "case-shape";
const [MAX_ENTRIES, MAX_BLOBS, MAX_RENDERINGS, MAX_SEAL] = [4096, 256, 32, 1024];
// Reasons that one file does not show: those of the whole feed, and those of a form, since no regime is at hand.
const UNSEEN = ["charter-backwards", "clock", "unknown-form", "bad-payload", "precedence", "no-releaser", "not-allowed-post"];

const isBytes = (value) => value instanceof Uint8Array;
const PREFIX = new Uint8Array([0x83, 0x60 + CASE_TYPE.length, ...utf8ToBytes(CASE_TYPE)]);

/** Whether bytes claim to be a case file. */
export const isCaseFile = (bytes) => equalBytes(bytes.subarray(0, PREFIX.length), PREFIX);

/** Parses a case file. Charters in it are parsed, not trusted. */
export function parseCase(bytes) {
  const outer = decode(bytes, CASE_LIMIT);
  demand(Array.isArray(outer) && outer.length === 3 && outer[0] === CASE_TYPE && isBytes(outer[1]) && typeof outer[2] === "string", SHAPE, "not a case file");
  const [, content, seal] = outer;
  const map = decode(content, CASE_LIMIT);
  demandFields(map, ["channel", "plane", "dossier", "charters", "checkpoints", "entries", "state"], ["blobs", "renderings", "paper"], SHAPE, "the case");
  const { channel, plane, dossier, charters, checkpoints, entries, state, blobs = [], renderings = new Map(), paper } = Object.fromEntries(map);
  demand(utf8ToBytes(seal).length <= MAX_SEAL && isBytes(channel) && isPlane(plane) && isHash(dossier) && isHash(state), SHAPE, "a part of the case is not what it should be");
  demand(isArrayOf(charters, isBytes) && isArrayOf(checkpoints, (note) => typeof note === "string", 0, MAX_ENTRIES), SHAPE, "charters or checkpoints");
  demand(isArrayOf(blobs, isBytes, map.has("blobs") ? 1 : 0, MAX_BLOBS) && (paper === undefined || (isBytes(paper) && paper.length > 0)), SHAPE, "attachments or paper");
  demand(renderings instanceof Map && isArrayOf([...renderings].flat(), (text) => typeof text === "string") && renderings.size <= MAX_RENDERINGS &&
    (renderings.size > 0 || !map.has("renderings")), SHAPE, "renderings is not a map of texts");
  demand(isArrayOf(entries, () => true, 1, MAX_ENTRIES), SHAPE, "entries");
  const words = entries.map((entry) => parseWord(entry, checkpoints.length));
  return { content, seal, channel: parseChannel(channel), plane, dossier, charters: charters.map(parseCharter), checkpoints, words, state, blobs, renderings, paper };
}

function parseWord(map, checkpoints) {
  demandFields(map, ["feed", "index", "statement", "path", "checkpoint"], ["adoptions", "reason"], SHAPE, "an entry");
  const [checkpoint, reason, adoptions = []] = [map.get("checkpoint"), map.get("reason"), map.get("adoptions")];
  demand(isUint(checkpoint) && checkpoint < checkpoints && (reason === undefined || (typeof reason === "string" && reason !== "")), SHAPE, "an entry has a field that is not one");
  demand(isArrayOf(adoptions, (adoption) => adoption instanceof Map, map.has("adoptions") ? 1 : 0, 1), SHAPE, "adoptions is not an array of one");
  for (const adoption of adoptions) demandFields(adoption, ["index", "statement", "path"], [], SHAPE, "an adoption");
  return { map, feed: parseFeedName(map.get("feed"), SHAPE), checkpoint, reason: reason ?? "", adoptions };
}

/**
 * The verdict on a parsed case, in the order of protocol.md#case. Throws the Refusal, or returns what is proved.
 * @param {Charter[]} trusted the charters that a person gives beside the case
 */
export function judgeCase(file, trusted) {
  const chains = linkCharters(trusted, file.charters);
  const sealedBy = demandSealed(file, chains);
  const remarks = [
    `that nothing is missing is the word of ${sealedBy}`,
    "the state of the case, the attachments and the renderings take the regime to judge",
  ];
  const notes = new Map();
  const noteOf = (at) => {
    if (!notes.has(at)) notes.set(at, parseCheckpoint(file.checkpoints[at]));
    return notes.get(at);
  };
  let before;
  const statements = file.words.map((word) => {
    const statement = parseStatement(word.map.get("statement"));
    const isOurs = equalBytes(statement.dossier ?? statement.id, file.dossier) && equalBytes(word.feed.channel, file.channel.id) && word.feed.plane === file.plane;
    demand(isOurs, "wrong-dossier", `statement ${hex(statement.id)} is of another dossier`);
    demand(before === undefined || inOrder(before, statement) < 0, "order", `statement ${hex(statement.id)} does not stand in the canonical order`);
    before = statement;
    const proof = {
      feed: word.feed, channel: file.channel, checkpoint: noteOf(word.checkpoint), entry: parseEntry(word.map, SHAPE),
      adoptions: word.adoptions.map((adoption) => parseEntry(adoption, SHAPE)),
    };
    return { statement, reason: word.reason, ...judgeWord(proof, word.reason, chains, remarks) };
  });
  return { dossier: file.dossier, channel: file.channel, plane: file.plane, state: file.state, sealedBy, statements, remarks };
}

// A statement that the case calls invalid is proved to be logged, and to be invalid for that reason where one file can show it.
function judgeWord(proof, reason, chains, remarks) {
  let verdict;
  try {
    verdict = judgeLinked(proof, chains);
  } catch (error) {
    if (!(error instanceof Refusal) || reason === "") throw error;
    const isSo = error.code === reason && (reason === "charter-unknown" || holds(() => demandLogged(proof, chains)));
    demand(isSo, "standing", `a statement is said to be invalid (${reason}), and is refused for ${error.code}`);
    return { level: null };
  }
  if (reason === "") return { level: verdict.level };
  demand(UNSEEN.includes(reason), "standing", `a statement is said to be invalid (${reason}), and is not`);
  remarks.push(`that statement ${hex(proof.entry.statement.id)} is invalid (${reason}) is the word of whoever exported the case`);
  return { level: null };
}

function inOrder(a, b) {
  if (a.clock !== b.clock) return BigInt(a.clock) < BigInt(b.clock) ? -1 : 1;
  return compareBytes(utf8ToBytes(a.issuer), utf8ToBytes(b.issuer)) || compareBytes(a.id, b.id);
}

// A member has signed for the content as a whole, with a key that was not withdrawn.
function demandSealed({ seal, content, channel, plane, dossier, words }, chains) {
  const [name] = seal.split("\n");
  const [, , , party] = name.split("/");
  demand(name.startsWith("detente.v1/case/") && name.split("/").length === 5 && channel.members.includes(party), "seal", "the case is sealed by no member of the channel");
  const chain = chainOf(chains, party, channel);
  const wanted = `detente.v1/case/${hex(channel.id)}/${party}/${plane}\n${toBase64(dossier)}\n${words.length}\n${toBase64(sha256(content))}\n`;
  const note = parseText(seal);
  const keys = checkpointKeysOf(chain.versions).filter(({ alg }) => alg === ED25519);
  const key = note && note.text === wanted ? verifyText(note, keys) : undefined;
  demand(key, "seal", `the file was changed after ${party} sealed it, or another has`);
  demand(chain.revokedSince(key.id) === undefined, "seal", "the case is sealed by a withdrawn key");
  return party;
}
