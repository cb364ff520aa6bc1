// Signed notes, checkpoints and cosignatures of the C2SP specifications, as protocol.md#feed and #receipt use them.
// It never decides which key counts: the caller brings the key, this says what it signed and when.
import { demand, equalBytes } from "./canonical.mjs";
import { concatBytes, ED25519, ML_DSA_44, sha256, utf8ToBytes, verify } from "./key.mjs";

const MAX_NOTE_BYTES = 1 << 20;
// A key whose lines are many is tried on the first of them only, so that a hostile note costs no more than an honest one.
const MAX_LINES_PER_KEY = 16;
const TYPE_NOTE = 0x01;
const COSIGNATURE_TYPES = new Map([[ED25519, 0x04], [ML_DSA_44, 0x06]]);
const MAX_SIZE = 2n ** 63n - 1n;
const DECIMAL = /^(0|[1-9][0-9]{0,18})$/;
const CONTROL = /[\x00-\x09\x0b-\x1f]/; // eslint-disable-line no-control-regex
const KEY_NAME = /^[^\s\u0085+]+$/u;

/** Strict base64: the standard alphabet, padded, no stray bits. Undefined for anything else. */
export function fromBase64(text) {
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(text) || text.length % 4 !== 0) return undefined;
  const binary = atob(text);
  if (btoa(binary) !== text) return undefined;
  return Uint8Array.from(binary, (c) => c.charCodeAt(0));
}

/** Parses a note into `text`, final newline included, and `lines` of `{name, id, signature}`. */
export function parseNote(note) {
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

/** Parses a checkpoint: a note with `origin`, `size` (bigint) and `root`, and no extension lines. */
export function parseCheckpoint(note) {
  const { text, lines } = parseNote(note);
  const [origin, size, root, ...rest] = text.split("\n");
  demand(rest.length === 1 && rest[0] === "" && origin !== "", "note", "a checkpoint is three lines: origin, size, root");
  demand(DECIMAL.test(size) && BigInt(size) <= MAX_SIZE, "note", "the size of the checkpoint is not a number");
  const hash = fromBase64(root);
  demand(hash?.length === 32, "note", "the root of the checkpoint is not a hash in base64");
  return { text, lines, origin, size: BigInt(size), root: hash };
}

const linesOf = (checkpoint, name, type, key) => {
  const id = sha256(concatBytes(utf8ToBytes(`${name}\n`), new Uint8Array([type]), key.bytes)).subarray(0, 4);
  return checkpoint.lines.filter((line) => line.name === name && equalBytes(line.id, id)).slice(0, MAX_LINES_PER_KEY);
};

/** Whether the checkpoint bears a plain note signature (type 0x01) by the Ed25519 key. */
export function isSignedBy(checkpoint, name, key) {
  const lines = linesOf(checkpoint, name, TYPE_NOTE, key);
  return lines.length > 0 && lines.every((line) => verify(key, utf8ToBytes(checkpoint.text), line.signature));
}

/** The cosignatures by a key, type 0x04 for Ed25519 and 0x06 for ML-DSA-44, in the order of the note: `{time, verifies}`. */
export function cosignaturesBy(checkpoint, name, key) {
  return linesOf(checkpoint, name, COSIGNATURE_TYPES.get(key.alg), key).map(({ signature }) => {
    if (signature.length < 8) return { time: 0n, verifies: false };
    const time = new DataView(signature.buffer, signature.byteOffset).getBigUint64(0);
    const message = key.alg === ED25519 ? ed25519Message(checkpoint, time) : mlDSAMessage(checkpoint, name, time);
    return { time, verifies: time <= MAX_SIZE && verify(key, message, signature.subarray(8)) };
  });
}

export const ed25519Message = (checkpoint, time) => utf8ToBytes(`cosignature/v1\ntime ${time}\n${checkpoint.text}`);

/** The `cosigned_message` of C2SP tlog-cosignature over the whole tree. */
export function mlDSAMessage(checkpoint, name, time) {
  const short = (text) => concatBytes(new Uint8Array([utf8ToBytes(text).length]), utf8ToBytes(text));
  return concatBytes(utf8ToBytes("subtree/v1\n\0"), short(name), uint64(time), short(checkpoint.origin), uint64(0n), uint64(checkpoint.size), checkpoint.root);
}

function uint64(value) {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value));
  return bytes;
}
