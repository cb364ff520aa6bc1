// Signed notes, checkpoints and cosignatures of the C2SP specifications, as protocol.md#feed and #receipt use them.
// It never decides which key counts: the caller brings the key, this says what it signed and when.
import { demand, equalBytes } from "./canonical.mjs";
import { concatBytes, ED25519, hex, ML_DSA_44, sha256, utf8ToBytes, verify } from "./key.mjs";
import { isOrigin } from "./shapes.mjs";

const MAX_NOTE_BYTES = 1 << 20;
const TYPE_NOTE = 0x01;
const COSIGNATURE_TYPES = new Map([[ED25519, 0x04], [ML_DSA_44, 0x06]]);
const MAX_SIZE = 2n ** 63n - 1n;
const DECIMAL = /^(0|[1-9][0-9]{0,18})$/;
const CONTROL = /[\x00-\x09\x0b-\x1f]/; // eslint-disable-line no-control-regex
const KEY_NAME = /^[^\s\u0085+]+$/u;

// Strict base64: the standard alphabet, padded, no stray bits. Undefined for anything else.
function fromBase64(text) {
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

// The first line of a key is its signature: one that stands behind it neither helps nor harms.
const lineOf = (checkpoint, name, type, key) => {
  const id = sha256(concatBytes(utf8ToBytes(`${name}\n`), new Uint8Array([type]), key.bytes)).subarray(0, 4);
  return checkpoint.lines.find((line) => line.name === name && equalBytes(line.id, id));
};

/**
 * Demands that the checkpoint is of this origin and bears the signature of one of `pairs`, each the keys
 * `[checkpoint, checkpoint-pq]` of one charter, the second when known: Ed25519 always, ML-DSA-44 wherever a line of such
 * a key is there.
 * @returns {{key: object, time: bigint|undefined}[]} what signed it
 */
export function demandAuthor(checkpoint, origin, pairs) {
  demand(checkpoint.origin === origin, "origin", "the checkpoint is of another feed");
  const signed = pairs.map(([key]) => key).find((key) => {
    const line = lineOf(checkpoint, origin, TYPE_NOTE, key);
    return line && verify(key, utf8ToBytes(checkpoint.text), line.signature);
  });
  demand(signed, "checkpoint-signature", "the checkpoint does not bear the Ed25519 signature of the feed's party");
  const second = new Map(pairs.flatMap(([, key]) => (key ? [[hex(key.id), key]] : [])));
  const cosigned = [...second.values()].map((key) => ({ key, ...cosignatureBy(checkpoint, origin, key) })).filter((line) => "verifies" in line);
  demand(cosigned.every((line) => line.verifies), "checkpoint-signature", "the checkpoint's ML-DSA-44 signature does not verify");
  return [{ key: signed }, ...cosigned.map(({ key, time }) => ({ key, time }))];
}

/** The cosignature by a key, type 0x04 for Ed25519 and 0x06 for ML-DSA-44, as `{time, verifies}`, or undefined. */
export function cosignatureBy(checkpoint, name, key) {
  const signature = lineOf(checkpoint, name, COSIGNATURE_TYPES.get(key.alg), key)?.signature;
  if (signature === undefined) return undefined;
  if (signature.length < 8) return { time: 0n, verifies: false };
  const time = new DataView(signature.buffer, signature.byteOffset).getBigUint64(0);
  const message = key.alg === ED25519 ? ed25519Message(checkpoint, time) : mlDSAMessage(checkpoint, name, time);
  return { time, verifies: time <= MAX_SIZE && verify(key, message, signature.subarray(8)) };
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
