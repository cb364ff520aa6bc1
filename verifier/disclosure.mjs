// Opens parts of a report that were withheld from its statement (protocol.md#disclosure).
// It never takes a part that the statement's digests do not have, nor two of one name.
import { sha256 } from "@noble/hashes/sha2.js";
import { concatBytes, utf8ToBytes } from "@noble/hashes/utils.js";
import { compareBytes, decode, demand, equalBytes, Refusal } from "./canonical.mjs";

const PART_LIMIT = 32768;
const FILE_LIMIT = 2 << 20;
const MOST = 64;

/** The parts that disclosures show, once each opens one of the digests in the issuer's statement: [{ name, value }]. */
export function openParts(issuer, digests, disclosures) {
  demand(digests.length > 0 && digests.length <= MOST, "digests", `${digests.length} digests`);
  for (let i = 1; i < digests.length; i++) demand(compareBytes(digests[i - 1], digests[i]) < 0, "digests", "the digests do not ascend");
  demand(disclosures.length <= digests.length, "unknown", "more disclosures than digests");
  const parts = [];
  for (const bytes of disclosures) {
    const part = parsePart(bytes);
    const digest = sha256(concatBytes(utf8ToBytes(`detente.v1 disclosure\n${issuer}\n`), bytes));
    demand(digests.some((other) => equalBytes(other, digest)), "unknown", `the statement does not have the part ${part.name}`);
    demand(parts.every(({ name }) => name !== part.name), "twice", `the part ${part.name} stands twice`);
    parts.push(part);
  }
  return parts;
}

function parsePart(bytes) {
  const [salt, name, value, ...more] = shaped("part", () => [...decode(bytes, PART_LIMIT)]);
  demand(salt instanceof Uint8Array && salt.length === 32 && /^[a-z][a-z0-9_]{0,31}$/.test(name) && value !== undefined && more.length === 0,
    "part", "not salt, name and value");
  return { name, value };
}

/** Reads a file of disclosures: { issuer, digests, disclosures }. It proves nothing until its digests are those of a signed statement. */
export function parseDisclosures(bytes) {
  const file = shaped("file", () => decode(bytes, FILE_LIMIT));
  const [issuer, digests, disclosures] = ["issuer", "digests", "disclosures"].map((key) => file instanceof Map && file.get(key));
  const lists = [digests, disclosures].every((list) => Array.isArray(list) && list.length <= MOST && list.every((b) => b instanceof Uint8Array));
  demand(lists && file.size === 4 && file.get("type") === "detente-disclosures.v1", "file", "not a file of disclosures");
  demand(/^[a-z0-9-]{2,32}$/.test(issuer) && digests.every((d) => d.length === 32), "file", "not a file of disclosures");
  return { issuer, digests, disclosures };
}

// What is no canonical item, or none that can be taken apart, is refused with the code.
function shaped(code, read) {
  try {
    return read();
  } catch (error) {
    if (error instanceof Refusal || error instanceof TypeError) throw new Refusal(code, error.message);
    throw error;
  }
}
