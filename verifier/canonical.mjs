// Reads and writes canonical CBOR (protocol.md#canonical).
// It never repairs: one value has one encoding, and any other bytes are refused with a code of their own.
import { encode as encodeCBOR, Tag } from "cbor2";

/** A refusal: `code` is the reason code of protocol.md, `message` says to a person what was seen. */
export class Refusal extends Error {
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

/** Throws a Refusal with the code unless the condition holds. */
export function demand(condition, code, message) {
  if (!condition) throw new Refusal(code, message);
}

/** Whether a check throws no Refusal. */
export function holds(check) {
  try {
    check();
    return true;
  } catch (error) {
    if (error instanceof Refusal) return false;
    throw error;
  }
}

const MAX_DEPTH = 16;
// No structure of the protocol comes near it, and four megabytes of empty maps cost no memory.
const MAX_ITEMS = 262144;
const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const [UINT, NEGATIVE, BYTES, TEXT, ARRAY, MAP, TAG] = [0, 1, 2, 3, 4, 5, 6];

/** Compares two byte strings as section 1 orders keys and section 7 orders ids: -1, 0 or 1. */
export function compareBytes(a, b) {
  const n = Math.min(a.length, b.length);
  for (let i = 0; i < n; i++) if (a[i] !== b[i]) return a[i] < b[i] ? -1 : 1;
  return Math.sign(a.length - b.length);
}

export const equalBytes = (a, b) => compareBytes(a, b) === 0;

/** Encodes a value: numbers and bigints are integers, a Map or a plain object is a map, a Uint8Array is bytes. */
export const encode = (value) => encodeCBOR(value, { cde: true });

/** Encodes a value under a tag. */
export const encodeTagged = (tag, value) => encode(new Tag(tag, value));

/**
 * Decodes the one canonical item that `bytes` are. Integers become numbers, or bigints beyond 2^53; maps become Maps.
 * With `tag`, one of a byte, the item must stand under that tag, and the value under it is returned.
 */
export function decode(bytes, limit, tag) {
  demand(bytes.length <= limit, "too-large", `${bytes.length} bytes, at most ${limit} are allowed`);
  const reader = new Reader(bytes);
  if (tag !== undefined) reader.tag(tag);
  const value = reader.item(0);
  demand(reader.at === bytes.length, "trailing", `${bytes.length - reader.at} bytes follow the item`);
  return value;
}

class Reader {
  constructor(bytes) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.at = 0;
    this.items = 0;
  }

  // Nothing is allocated for a length that the remaining bytes cannot hold.
  need(count) {
    demand(count <= this.bytes.length - this.at, "truncated", `the bytes end inside the item at ${this.at}`);
  }

  head() {
    this.need(1);
    const at = this.at;
    const initial = this.bytes[this.at++];
    const major = initial >> 5;
    const info = initial & 0x1f;
    demand(info <= 27, "not-canonical", `an indefinite or reserved length at ${at}`);
    if (major === 7) {
      demand(info === 20 || info === 21, "forbidden", `a float, null, undefined or simple value at ${at}`);
      return { major, argument: info };
    }
    if (info < 24) return { major, argument: info };
    const width = 1 << (info - 24);
    this.need(width);
    const argument = [this.view.getUint8, this.view.getUint16, this.view.getUint32, this.view.getBigUint64]
      .at(info - 24).call(this.view, this.at);
    this.at += width;
    const least = [24, 0x100, 0x10000, 0x1_0000_0000n][info - 24];
    demand(argument >= least, "not-canonical", `a longer head than needed at ${at}`);
    return { major, argument: argument <= Number.MAX_SAFE_INTEGER ? Number(argument) : argument };
  }

  tag(wanted) {
    const [first, second] = [(TAG << 5) | 24, wanted];
    demand(this.bytes[0] === first && this.bytes[1] === second, "shape", `the bytes do not begin with tag ${wanted}`);
    this.at = 2;
  }

  // The outermost item is at depth 0, what an array or a map holds is one deeper than it.
  item(depth) {
    const at = this.at;
    demand(++this.items <= MAX_ITEMS, "too-large", `more than ${MAX_ITEMS} items`);
    demand(depth <= MAX_DEPTH, "depth", `deeper than ${MAX_DEPTH} at ${at}`);
    const { major, argument } = this.head();
    switch (major) {
      case UINT:
      case NEGATIVE:
        demand(argument < 2n ** 63n, "forbidden", `an integer beyond 64 bits signed at ${at}`);
        if (major === UINT) return argument;
        return typeof argument === "bigint" || argument === Number.MAX_SAFE_INTEGER ? -1n - BigInt(argument) : -1 - argument;
      case BYTES:
        return this.take(argument);
      case TEXT:
        try {
          return UTF8.decode(this.take(argument));
        } catch (error) {
          if (error instanceof Refusal) throw error;
          throw new Refusal("text", `text that is not UTF-8 at ${at}`);
        }
      case ARRAY:
        this.need(argument);
        return Array.from({ length: argument }, () => this.item(depth + 1));
      case MAP:
        return this.map(argument, depth);
      case TAG:
        throw new Refusal("forbidden", `a tag at ${at}`);
      default:
        return argument === 21;
    }
  }

  take(length) {
    this.need(length);
    const start = this.at;
    this.at += length;
    return this.bytes.subarray(start, this.at);
  }

  map(count, depth) {
    this.need(count);
    const map = new Map();
    let last;
    for (let i = 0; i < count; i++) {
      const start = this.at;
      this.need(1);
      demand([UINT, NEGATIVE, TEXT].includes(this.bytes[start] >> 5), "forbidden", `a key that is neither text nor integer at ${start}`);
      const key = this.item(depth + 1);
      const encoded = this.bytes.subarray(start, this.at);
      const order = last ? compareBytes(last, encoded) : -1;
      demand(order !== 0, "duplicate-key", `the key at ${start} stands twice`);
      demand(order < 0, "not-canonical", `the key at ${start} is out of order`);
      last = encoded;
      map.set(key, this.item(depth + 1));
    }
    return map;
  }
}
