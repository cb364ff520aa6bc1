// Says a verdict, to people in lines and to machines as an object.
// It never prints a character of a stranger's text that could move a cursor or turn the direction of writing.
import { fingerprint, fingerprintWords } from "./charter.mjs";
import { algorithmName, hex } from "./key.mjs";

const MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const PRECEDENCE = { Z: "FLASH", O: "IMMEDIATE", P: "PRIORITY", R: "ROUTINE" };
const LEVEL = { E1: "in the author's feed", E2: "held by every party it is addressed to" };
// Controls, format characters and line separators; the joiners that some scripts need stay.
const UNSAFE = /(?![\u200c\u200d])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;
const MAX_INDENT = 8;

const escape = (c) => [...Array(c.length).keys()].map((i) => `\\u${c.charCodeAt(i).toString(16).padStart(4, "0")}`).join("");

/** A stranger's text, safe on a terminal. */
export const safe = (text) => String(text).replace(UNSAFE, escape);

/** A time as a date-time group, such as 231415Z NOV 26, or as seconds when no calendar reaches it. */
export function dateTimeGroup(seconds) {
  const date = new Date(Number(seconds) * 1000);
  if (Number.isNaN(date.getTime()) || date.getUTCFullYear() > 9999) return `${seconds} s`;
  const two = (n) => String(n).padStart(2, "0");
  const year = date.getUTCFullYear();
  const clock = `${two(date.getUTCDate())}${two(date.getUTCHours())}${two(date.getUTCMinutes())}Z ${MONTHS[date.getUTCMonth()]}`;
  return year >= 2000 && year < 2100 ? `${clock} ${two(year % 100)}` : `${clock} ${year}`;
}

/** A decoded value as JSON holds it: bytes as h'…', integers beyond 2^53 as text, maps as objects. */
export function plain(value) {
  if (value instanceof Uint8Array) return `h'${hex(value)}'`;
  if (typeof value === "bigint") return value <= Number.MAX_SAFE_INTEGER && value >= Number.MIN_SAFE_INTEGER ? Number(value) : String(value);
  if (Array.isArray(value)) return value.map(plain);
  if (value instanceof Map) return Object.fromEntries([...value].map(([key, item]) => [String(key), plain(item)]));
  return value;
}

const plainKey = ({ key, withdrawn }) => ({ algorithm: algorithmName(key.alg), id: hex(key.id), ...(withdrawn === undefined ? {} : { withdrawn: plain(withdrawn) }) });

/** JSON text in which no character of UNSAFE stands as itself. */
export const toJSON = (object) => JSON.stringify(object, null, 2).replace(UNSAFE, (c) => (c === "\n" ? c : escape(c)));

const EMPTY = { verdict: "refused", reason: null, detail: null, statement: null, position: null, receipts: [], keys: [], level: null };

export const refusedObject = (kind, refusal) => ({ kind, ...EMPTY, reason: refusal.code, detail: safe(refusal.message) });

export function proofObject({ statement, position, keys, checkpointSigned, receipts, remarks, level }) {
  const optional = (name, convert = plain) => (statement[name] === undefined ? {} : { [name]: convert(statement[name]) });
  return {
    kind: "proof", ...EMPTY, verdict: "proved", level,
    statement: {
      id: hex(statement.id), issuer: statement.issuer, audience: statement.audience,
      issued: plain(statement.issued), issuedGroup: dateTimeGroup(statement.issued),
      channel: hex(statement.channel), plane: statement.plane, precedence: statement.precedence,
      form: statement.form, formVersion: plain(statement.formVersion), ...optional("dossier", hex), ...optional("refs", (refs) => refs.map(hex)),
      clock: plain(statement.clock), language: statement.language, ...optional("marking"),
      drafter: statement.drafter, ...optional("releaser"), charter: statement.charter, fields: plain(statement.fields),
    },
    position: { feed: position.origin, index: plain(position.index), size: plain(position.size), root: hex(position.root) },
    receipts: receipts.map(({ party, algorithm, time, key }) => ({ party, algorithm, time: plain(time), timeGroup: dateTimeGroup(time), key: hex(key) })),
    keys: [
      ...keys.map((key) => ({ ...plainKey(key), signed: "statement", holder: statement.issuer })),
      ...checkpointSigned.map((key) => ({ ...plainKey(key), signed: "checkpoint", holder: statement.party })),
    ],
    remarks,
  };
}

export function forkObject({ feed, smaller, larger, checkpointSigned, doubtful }) {
  const checkpoint = ({ size, root }) => ({ size: plain(size), root: hex(root) });
  return {
    kind: "fork", ...EMPTY, verdict: "proved",
    fork: { party: feed.party, feed: feed.origin, smaller: checkpoint(smaller), larger: checkpoint(larger), doubtful },
    keys: checkpointSigned.map((key) => ({ ...plainKey(key), signed: "checkpoint", holder: feed.party })),
  };
}

/** The verdict on a case. */
export function caseObject({ dossier, channel, plane, state, sealedBy, statements, remarks }) {
  return {
    kind: "case", ...EMPTY, verdict: "proved",
    case: {
      dossier: hex(dossier), channel: hex(channel.id), plane, state: hex(state), sealedBy,
      statements: statements.map(({ statement: s, reason, level }) => ({
        id: hex(s.id), issuer: s.issuer, audience: s.audience, issued: plain(s.issued), issuedGroup: dateTimeGroup(s.issued), form: s.form,
        precedence: s.precedence, fields: plain(s.fields), level, ...(reason === "" ? {} : { invalid: reason }),
      })),
    },
    remarks,
  };
}

/** The charters of chains, with their fingerprints; in words too for each language of `lists`, `[language, [even, odd]]`. */
export function chartersObject(chains, lists) {
  const told = (charter) => ({
    party: charter.party, version: charter.version, issued: plain(charter.issued), fingerprint: hex(fingerprint(charter)),
    words: Object.fromEntries(lists.map(([language, pair]) => [language, fingerprintWords(fingerprint(charter), pair).join(" ")])),
  });
  return { kind: "charters", ...EMPTY, verdict: "proved", charters: [...chains.values()].flatMap(({ versions }) => versions.map(told)) };
}

/** The lines for people of any object above. */
export function toLines(object) {
  if (object.verdict === "refused") return [`REFUSED  ${object.reason}`, row("because", object.detail)];
  return { proof: proofLines, fork: forkLines, case: caseLines, charters: charterLines }[object.kind](object);
}

const row = (label, text) => `  ${label.padEnd(11)} ${safe(text)}`;

function proofLines({ statement: s, position, receipts, keys, remarks, level }) {
  const persons = s.releaser ? `drafted by ${s.drafter}, released by ${s.releaser}` : `drafted by ${s.drafter}`;
  return [
    `PROVED  ${level}: ${LEVEL[level]}`,
    row("from", `${s.issuer}, ${persons}`),
    row("to", s.audience === "*" ? "* (all members)" : s.audience),
    row("dated", `${s.issuedGroup} (the issuer's clock)`),
    row("form", `${s.form} version ${s.formVersion}`),
    row("precedence", `${s.precedence} ${PRECEDENCE[s.precedence]}`),
    row("plane", s.plane === "real" ? "real" : `${s.plane.toUpperCase()} ${s.plane.toUpperCase()} ${s.plane.toUpperCase()}`),
    ...(s.marking === undefined ? [] : [row("marking", s.marking)]),
    row("language", s.language),
    row("says", ""),
    ...fieldLines(s.fields, 2),
    row("statement", s.id),
    ...(s.dossier === undefined ? [] : [row("dossier", s.dossier)]),
    ...(s.refs ?? []).map((id) => row("refers to", id)),
    row("channel", s.channel),
    row("position", `index ${position.index} of ${position.size} in ${position.feed}`),
    ...(receipts.length === 0 ? [row("received", "no receipt is shown")] : []),
    ...receipts.map((r) => row("received", `by ${r.party} at ${r.timeGroup} (its mirror, ${r.algorithm})`)),
    ...keys.map(keyRow),
    row("charter", `version ${s.charter} of ${s.issuer.split("/")[0]}`),
    ...remarks.map((remark) => row("remark", remark)),
  ];
}

const keyRow = ({ signed, holder, algorithm, id, withdrawn }) =>
  row("signed", `${signed} by ${holder}, ${algorithm}, key ${id}${withdrawn === undefined ? "" : `, withdrawn since ${dateTimeGroup(withdrawn)}`}`);

function fieldLines(value, indent) {
  if (value === null || typeof value !== "object") return fieldLines([value], indent);
  const margin = "  ".repeat(Math.min(indent, MAX_INDENT));
  const entries = Array.isArray(value) ? value.map((item) => ["-", item]) : Object.entries(value);
  return entries.flatMap(([name, item]) => {
    const label = Array.isArray(value) ? "-" : `${safe(name)}:`;
    if (item !== null && typeof item === "object") return [`${margin}${label}`, ...fieldLines(item, indent + 1)];
    const [first, ...more] = String(item).split("\n");
    return [`${margin}${label} ${safe(first)}`, ...more.map((line) => `${margin}  ${safe(line)}`)];
  });
}

function forkLines({ fork, keys }) {
  return [
    fork.doubtful ? `PROVED  withdrawn keys of ${fork.party} have signed one of two histories of one feed` : `PROVED  ${fork.party} has signed two histories of one feed`,
    row("feed", fork.feed),
    row("one", `size ${fork.smaller.size}, root ${fork.smaller.root}`),
    row("other", `size ${fork.larger.size}, root ${fork.larger.root}`),
    ...keys.map(keyRow),
    ...(fork.doubtful ? [row("remark", `it convicts whoever held those keys: ${fork.party}, or a thief`)] : []),
  ];
}

function caseLines({ case: c, remarks }) {
  const word = (s) => [
    row(s.invalid === undefined ? s.level : "INVALID", `${s.issuer} to ${s.audience}, ${s.issuedGroup}, ${s.form}${s.invalid === undefined ? "" : `: ${s.invalid}`}`),
    ...fieldLines(s.fields, 2),
    row("statement", s.id),
  ];
  return [
    `PROVED  a case of ${c.statements.length} statements`,
    row("case", c.dossier), row("channel", c.channel), row("plane", c.plane), row("sealed by", c.sealedBy), row("state", c.state),
    ...c.statements.flatMap(word),
    ...remarks.map((remark) => row("remark", remark)),
  ];
}

function charterLines({ charters }) {
  const lines = ({ party, version, issued, fingerprint: bytes, words }) => [
    row(party, `version ${version} of ${dateTimeGroup(issued)}, fingerprint ${bytes.match(/.{4}/g).join(" ")}`),
    ...Object.entries(words).map(([language, spoken]) => row("", `${language}: ${spoken}`)),
  ];
  return ["PROVED  the charters are approved and follow one another", ...charters.flatMap(lines)];
}
