// Signed notes, checkpoints and cosignatures of the C2SP specifications, as protocol.md#feed and #receipt use them.
// It never decides which key counts: the caller brings the key, this says what it signed and when.
import { demand } from "./canonical.mjs";
import { concatBytes, ED25519, hex, ML_DSA_44, sha256, utf8ToBytes, verify } from "./key.mjs";
import { isOrigin, isTime } from "./shapes.mjs";

const MAX_NOTE_BYTES = 1 << 20;
const TYPE_NOTE = 0x01;
const COSIGNATURE_TYPES = new Map([[ED25519, 0x04], [ML_DSA_44, 0x06]]);
const MAX_SIZE = 2n ** 63n - 1n;
const DECIMAL = /^(0|[1-9][0-9]{0,18})$/;
const CONTROL = /[\x00-\x09\x0b-\x1f]/; // eslint-disable-line no-control-regex
const KEY_NAME = /^(?:[^\s\u0085+]|\ufeff)+$/u;

/** Strict base64: the standard alphabet, padded, no stray bits. Undefined for anything else. */
export function fromBase64(text) {
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(text) || text.length % 4 !== 0) return undefined;
  const binary = atob(text);
  if (btoa(binary) !== text) return undefined;
  return Uint8Array.from(binary, (c) => c.charCodeAt(0));
}

// Parses a note into `text`, final newline included, and `lines` of `{name, id, signature}`.
function parseNote(note) {
  demand(utf8ToBytes(note).length <= MAX_NOTE_BYTES, "note", "the note is too large");
  demand(!CONTROL.test(note), "note", "the note holds a control character");
  const split = note.lastIndexOf("\n\n");
  demand(split > 0 && note.endsWith("\n") && note.length > split + 2, "note", "the note has no signatures");
  const lines = note.slice(split + 2, -1).split("\n").map((line) => {
    const parts = line.split(" ");
    demand(parts.length === 3 && parts[0] === "—" && KEY_NAME.test(parts[1]), "note", "a signature line is malformed");
    const bytes = fromBase64(parts[2]);
    demand(bytes && bytes.length > 4, "note", "a signature is not base64 of a key id and a signature");
    return { name: parts[1], id: bytes.subarray(0, 4), signature: bytes.subarray(4) };
  });
  return { text: note.slice(0, split + 1), lines };
}

/** Parses a checkpoint: a note with the `origin` of a feed, `size` (bigint) and `root`, and no extension lines. */
export function parseCheckpoint(note) {
  const { text, lines } = parseNote(note);
  const [origin, size, root, ...rest] = text.split("\n");
  demand(rest.length === 1 && rest[0] === "" && isOrigin(origin), "note", "a checkpoint is three lines: the origin of a feed, size, root");
  demand(DECIMAL.test(size) && BigInt(size) <= MAX_SIZE, "note", "the size of the checkpoint is not a number");
  const hash = fromBase64(root);
  demand(hash?.length === 32, "note", "the root of the checkpoint is not a hash in base64");
  return { text, lines, origin, size: BigInt(size), root: hash };
}

/** Bytes in padded base64. */
export const toBase64 = (bytes) => btoa(String.fromCharCode(...bytes));

/** Parses a signed text that is no checkpoint, with one line under its own first line as the key name; undefined for anything else. */
export function parseText(note) {
  const split = note.indexOf("\n\n");
  const rest = note.slice(split + 2);
  if (split < 0 || !/^[^\n]+\n$/.test(rest)) return undefined;
  const [dash, name, encoded, ...more] = rest.slice(0, -1).split(" ");
  const bytes = encoded === undefined ? undefined : fromBase64(encoded);
  const isLine = dash === "—" && more.length === 0 && bytes?.length === 68 && name === note.slice(0, note.indexOf("\n"));
  return isLine ? { text: note.slice(0, split + 1), name, id: bytes.subarray(0, 4), signature: bytes.subarray(4) } : undefined;
}

/** Which of the Ed25519 keys signed a text, undefined when none did. */
export const verifyText = ({ text, name, id, signature }, keys) =>
  keys.find((key) => idOf(name, TYPE_NOTE, key) === hex(id) && verify(key, utf8ToBytes(text), signature));

const idOf = (name, type, key) => hex(sha256(concatBytes(utf8ToBytes(`${name}\n`), new Uint8Array([type]), key.bytes)).subarray(0, 4));

/**
 * Verifies the lines of a checkpoint that are by keys under a name. `log` is true for the name of the feed itself, false
 * for a mirror's. Of the lines with one key id only the first counts; where several keys have one id, the line is by
 * the key under which it verifies.
 * @returns {{good: {key: object, time: number|undefined}[], bad: {key: object}[]}} in the order of the note; `bad` are
 *   lines that do not verify, with the first key that they may be by
 */
export function checkLines(checkpoint, name, keys, log) {
  const candidates = new Map();
  for (const key of keys) {
    const type = log && key.alg === ED25519 ? TYPE_NOTE : COSIGNATURE_TYPES.get(key.alg);
    const id = idOf(name, type, key);
    candidates.set(id, [...(candidates.get(id) ?? []), { key, type }]);
  }
  const [good, bad] = [[], []];
  for (const line of checkpoint.lines) {
    const mine = line.name === name ? candidates.get(hex(line.id)) : undefined;
    if (!mine) continue;
    candidates.delete(hex(line.id));
    const signed = mine.map(({ key, type }) => verifyLine(checkpoint, line, key, type)).find((result) => result);
    if (signed) good.push(signed);
    else bad.push({ key: mine[0].key });
  }
  return { good, bad };
}

/**
 * Demands that the checkpoint is of this origin, bears an Ed25519 signature by one of the `keys` of the feed's party, and
 * no line of one of them that does not verify. Returns what signed it.
 */
export function demandAuthor(checkpoint, origin, keys) {
  demand(checkpoint.origin === origin, "origin", "the checkpoint is of another feed");
  const { good, bad } = checkLines(checkpoint, origin, keys, true);
  demand(bad.length === 0, "checkpoint-signature", "a signature of the feed's party on the checkpoint does not verify");
  demand(good.some(({ key }) => key.alg === ED25519), "checkpoint-signature", "the checkpoint does not bear the Ed25519 signature of the feed's party");
  return good;
}

// A signature with a time has it in front, in eight bytes.
function verifyLine(checkpoint, { name, signature }, key, type) {
  if (type === TYPE_NOTE) return verify(key, utf8ToBytes(checkpoint.text), signature) ? { key } : undefined;
  if (signature.length < 8) return undefined;
  const time = Number(new DataView(signature.buffer, signature.byteOffset).getBigUint64(0));
  if (time === 0 || !isTime(time)) return undefined;
  const message = key.alg === ED25519 ? ed25519Message(checkpoint, time) : mlDSAMessage(checkpoint, name, time);
  return verify(key, message, signature.subarray(8)) ? { key, time } : undefined;
}

const ed25519Message = (checkpoint, time) => utf8ToBytes(`cosignature/v1\ntime ${time}\n${checkpoint.text}`);

// The `cosigned_message` of C2SP tlog-cosignature over the whole tree.
function mlDSAMessage(checkpoint, name, time) {
  const short = (text) => concatBytes(new Uint8Array([utf8ToBytes(text).length]), utf8ToBytes(text));
  return concatBytes(utf8ToBytes("subtree/v1\n\0"), short(name), uint64(time), short(checkpoint.origin), uint64(0n), uint64(checkpoint.size), checkpoint.root);
}

function uint64(value) {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value));
  return bytes;
}
