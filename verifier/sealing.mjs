// Reads the manifest of a sealing round and computes the verdict of signatures over it (protocol.md#sealing).
// It never looks at a clock, and never lets what is not good, or is there twice, count for anything.
import { compareBytes, decode, demand, encode, Refusal } from "./canonical.mjs";
import { concatBytes, ED25519, hex, isKnown, parseKey, sha256, utf8ToBytes, verify } from "./key.mjs";
import { demandFields, isArrayOf, isHash, isParty, isPlane, isPost, isTime, isUint } from "./shapes.mjs";

const MANIFEST_LIMIT = 40960;
const EVIDENCE_LIMIT = 43008;
const MOST_DELTA = 31 * 86400;
const SIGNATURE_BYTES = { [-19]: 64, [-48]: 2420, [-49]: 3309 };
const OTHER_SIGNATURE_BYTES = 16384;
const PERIOD = [999, 11999, 366 * 999];

const isBytes = (least, most) => (value) => value instanceof Uint8Array && value.length >= least && value.length <= most;
const ascending = (list) => list.every((text, i) => i === 0 || compareBytes(utf8ToBytes(list[i - 1]), utf8ToBytes(text)) < 0);
const nameOf = ({ party, post }) => `${party}/${post}`;

/** The manifest: its hash, parties, sealers and faulty, all that a verdict needs. */
export function parseManifest(bytes) {
  const m = shaped("manifest", () => decode(bytes, MANIFEST_LIMIT));
  demandFields(m, ["type", "kind", "plane", "instrument", "text", "texts", "parties", "faulty", "deadline", "delta", "effect", "nonce"],
    ["regards", "sealers", "date", "after", "duration", "renewal", "notice", "channels"], "manifest", "the manifest");
  const get = (key) => m.get(key);
  demand(get("type") === "detente-manifest.v1" && /^[a-z][a-z0-9-]{0,31}$/.test(get("kind")) && isPlane(get("plane")), "manifest", "type, kind or plane");
  demand(["instrument", "text"].every((key) => isHash(get(key))) && isBytes(16, 16)(get("nonce")) && (!m.has("regards") || isHash(get("regards"))), "manifest", "a hash");
  demand(!m.has("channels") || isArrayOf(get("channels"), isBytes(1, 16384), 1, 16), "manifest", "channels");
  const parties = parseMembers(get("parties"), "powers");
  const sealers = m.has("sealers") ? parseMembers(get("sealers"), "receive") : [];
  demandTexts(get("texts"), parties);
  demandRoster(parties, sealers, get("faulty"));
  demandTerms(m, sealers);
  return { hash: sha256(concatBytes(utf8ToBytes("detente/manifest/v1\n"), bytes)), parties, sealers, faulty: get("faulty") };
}

function parseMembers(list, extra) {
  demand(Array.isArray(list) && list.length > 0, "manifest", "no list of members");
  return list.map((member) => {
    demandFields(member, ["party", "post", "keys"], ["powers", "receive"], "manifest", "a member");
    demand(isParty(member.get("party")) && isPost(member.get("post")), "roster", "the name of a member");
    demand(!member.has(extra === "powers" ? "receive" : "powers"), "roster", "a party receives, or a sealer has powers");
    demand(!member.has("powers") || isArrayOf(member.get("powers"), isHash, 1, 16), "roster", "powers");
    demand(!member.has("receive") || isBytes(1216, 1216)(member.get("receive")), "roster", "a key to receive");
    demand(Array.isArray(member.get("keys")), "manifest", "no list of keys");
    const keys = member.get("keys").map((key) => parseKey(key, "keys"));
    demand(keys.length >= 1 && keys.length <= 4 && keys[0].alg === ED25519, "keys", "the first key is not Ed25519");
    demand(keys.every(({ alg }) => isKnown(alg)), "keys", "a key that cannot be used here");
    return { party: member.get("party"), post: member.get("post"), keys };
  });
}

function demandTexts(texts, parties) {
  const isText = (t) => Array.isArray(t) && t.length === 3 && typeof t[0] === "string" && /^[A-Za-z0-9]{2,8}(-[A-Za-z0-9]{1,8}){0,3}$/.test(t[1]) && isHash(t[2]);
  demand(isArrayOf(texts, isText, 0, 1024) && ascending(texts.map(([party, lang]) => `${party}\0${lang}`)), "manifest", "texts");
  const have = new Set(texts.map(([party]) => party));
  demand(have.size === parties.length && parties.every(({ party }) => have.has(party)), "manifest", "a party without a text, or a text of nobody");
}

function demandRoster(parties, sealers, faulty) {
  demand(isUint(faulty) && parties.length >= 2 && parties.length <= 256 && sealers.length <= 31, "roster", "how many there are");
  demand(sealers.length === 0 ? faulty === 0 : sealers.length >= 3 * faulty + 1, "roster", `${faulty} of ${sealers.length} sealers cannot be allowed to fail`);
  demand(ascending(parties.map(({ party }) => party)) && ascending(sealers.map(nameOf)), "roster", "not in order, or twice");
  const ids = [...parties, ...sealers].flatMap(({ keys }) => keys.map(({ id }) => hex(id)));
  demand(new Set(ids).size === ids.length, "keys", "a key twice");
  const size = (members) => members.reduce((sum, { keys }) => sum + 160 + keys.reduce((n, { alg }) => n + 4 + (SIGNATURE_BYTES[alg] ?? OTHER_SIGNATURE_BYTES), 0), 0);
  demand(128 + size(parties) + 2 * size(sealers) <= EVIDENCE_LIMIT, "roster", "their signatures would not fit a statement");
}

function demandTerms(m, sealers) {
  const [deadline, delta, effect] = ["deadline", "delta", "effect"].map((key) => m.get(key));
  demand(isTime(deadline) && deadline > 0 && isUint(delta) && delta <= MOST_DELTA && (delta === 0) === (sealers.length === 0), "terms", "deadline and Δ");
  demand(isTime(deadline + (m.get("faulty") + 1) * delta), "terms", "the round would not end");
  const isPeriod = (p) => Array.isArray(p) && p.length === 3 && p.every((n, i) => isUint(n) && n <= PERIOD[i]) && p.some((n) => n > 0);
  for (const key of ["after", "duration", "renewal", "notice"]) demand(!m.has(key) || isPeriod(m.get(key)), "terms", key);
  demand(!m.has("date") || (isTime(m.get("date")) && m.get("date") > 0), "terms", "date");
  const wants = { sealing: !m.has("date") && !m.has("after"), date: m.has("date") && !m.has("after"), procedures: !m.has("date") };
  demand(Object.hasOwn(wants, effect) && wants[effect], "terms", "effect");
}

/** Evidence: { consents: [{ round, party, signatures }], finals: [{ round, sealer, decision, signatures }] }. */
export function parseEvidence(bytes) {
  const e = shaped("object", () => decode(bytes, EVIDENCE_LIMIT));
  demandFields(e, ["type"], ["consents", "finals"], "object", "the evidence");
  demand(e.get("type") === "detente-evidence.v1", "object", "not evidence");
  const list = (key, most, each) => {
    demand(!e.has(key) || isArrayOf(e.get(key), Array.isArray, 1, most), "object", key);
    return (e.get(key) ?? []).map(each);
  };
  const isSigned = (round, signatures) => isHash(round) && isArrayOf(signatures, isBytes(1, OTHER_SIGNATURE_BYTES), 1, 4);
  return {
    consents: list("consents", 256, (c) => {
      const [type, round, party, signatures] = c;
      demand(c.length === 4 && type === "detente-consent.v1" && isParty(party) && isSigned(round, signatures), "object", "a consent");
      return { round, party, signatures };
    }),
    finals: list("finals", 62, (f) => {
      const [type, round, sealer, decision, signatures] = f;
      const names = typeof sealer === "string" ? sealer.split("/") : [];
      demand(f.length === 5 && type === "detente-final.v1" && names.length === 2 && isParty(names[0]) && isPost(names[1]), "object", "a final");
      demand(["in-force", "lapsed"].includes(decision) && isSigned(round, signatures), "object", "a final");
      return { round, sealer, decision, signatures };
    }),
  };
}

/** The verdict: { state, consents, inForce, lapsed }, the names of those whose signatures are good, in the manifest's order. */
export function verdictOf({ hash, parties, sealers, faulty }, { consents, finals }) {
  const good = (member, label, parts, { round, signatures }) => {
    const message = concatBytes(utf8ToBytes(`detente/${label}/v1\n`), encode([hash, ...parts]));
    return compareBytes(round, hash) === 0 && signatures.length === member.keys.length && member.keys.every((key, i) => verify(key, message, signatures[i]));
  };
  const consented = parties.filter((p) => consents.some((c) => c.party === p.party && good(p, "consent", [p.party], c))).map(({ party }) => party);
  const saying = (decision) =>
    sealers.filter((s) => finals.some((f) => f.sealer === nameOf(s) && f.decision === decision && good(s, "final", [nameOf(s), decision], f))).map(nameOf);
  const [inForce, lapsed] = [saying("in-force"), saying("lapsed")];
  const need = sealers.length - faulty;
  const isIn = inForce.length >= need && consented.length === parties.length;
  const isOut = lapsed.length >= need;
  const state = sealers.length === 0 ? "plain" : isIn && isOut ? "contested" : isIn ? "in-force" : isOut ? "lapsed" : "pending";
  return { state, consents: consented, inForce, lapsed };
}

// What is no canonical item is refused with the code.
function shaped(code, read) {
  try {
    return read();
  } catch (error) {
    if (error instanceof Refusal) throw new Refusal(code, error.message);
    throw error;
  }
}
