// The statement: what one post says to another, signed (protocol.md#statement).
// It never judges a statement by a charter, a channel or a form: it only reads what is said.
import { compareBytes, decode, demand, encode } from "./canonical.mjs";
import { parseEnvelope, STATEMENT_TYPE } from "./envelope.mjs";
import { sha256 } from "./key.mjs";
import { demandFields, isAddress, isArrayOf, isEpoch, isHash, isParty, isPlane, isPrecedence, isText, isTime, isUint } from "./shapes.mjs";

const STATEMENT_LIMIT = 49152;
const MAX_REFS = 64;

const headerText = (value) => isText(value, 1, 128);

// Key, name, whether it is always there, what it holds.
const HEADER = [
  [1, "channel", true, isHash],
  [2, "plane", true, isPlane],
  [3, "precedence", true, isPrecedence],
  [4, "form", true, headerText],
  [5, "formVersion", true, (value) => isUint(value, 1)],
  [6, "dossier", false, (value) => isHash(value) && value.some((byte) => byte !== 0)],
  [7, "refs", false, (value) => isArrayOf(value, isHash) && value.length >= 1 && value.length <= MAX_REFS],
  [8, "seen", false, isSeen],
  [9, "clock", true, (value) => isUint(value, 1)],
  [10, "language", true, headerText],
  [11, "marking", false, headerText],
  [12, "drafter", true, headerText],
  [13, "releaser", false, headerText],
  [14, "charter", true, (value) => isUint(value, 1)],
];

// [[party, precedence, epoch, size, root], …] in the order of the encodings, or the hash of that list.
function isSeen(value) {
  if (isHash(value)) return true;
  const entry = (e) =>
    Array.isArray(e) && e.length === 5 && isParty(e[0]) && isPrecedence(e[1]) && isEpoch(e[2]) && isUint(e[3], 1) && isHash(e[4]);
  if (!isArrayOf(value, entry) || value.length === 0) return false;
  const encoded = value.map((e) => encode(e));
  return encoded.every((e, i) => i === 0 || compareBytes(encoded[i - 1], e) < 0);
}

/** Parses a statement. Its fields are those of HEADER, and `id`, `issuer`, `party`, `post`, `audience`, `issued`, `fields`, `envelope`. */
export function parseStatement(bytes) {
  const envelope = parseEnvelope(bytes, STATEMENT_LIMIT, STATEMENT_TYPE);
  const { claims, header } = envelope;
  demandFields(claims, [1, 3, 6], [], "claims", "the claims map");
  const [issuer, audience, issued] = [claims.get(1), claims.get(3), claims.get(6)];
  demand(isAddress(issuer), "claims", "the issuer is not party/post");
  demand(audience === "*" || isParty(audience) || isAddress(audience), "claims", "the audience is not a party, a party/post or *");
  demand(isTime(issued), "claims", "issued-at is not a time");

  const [required, optional] = [true, false].map((always) => HEADER.filter((row) => row[2] === always).map((row) => row[0]));
  demandFields(header, required, optional, "header", "the header");
  const statement = { id: sha256(bytes), issuer, audience, issued, envelope };
  [statement.party, statement.post] = issuer.split("/");
  for (const [key, name, , check] of HEADER) {
    if (!header.has(key)) continue;
    demand(check(header.get(key)), "header", `header ${key} is not a ${name}`);
    statement[name] = header.get(key);
  }
  statement.fields = decode(envelope.payload, STATEMENT_LIMIT);
  return statement;
}

/** The parties that a statement is addressed to on a channel, without its own party. */
export function addressees(statement, members) {
  const named = statement.audience === "*" ? members : [statement.audience.split("/")[0]];
  return named.filter((party) => party !== statement.party);
}
