// Computes what an instrument's manifest has digests of: wordings, texts, the originals of each party (protocol.md#wording to #alternat).
// It never decides what is agreed: that follows from all statements of a negotiation, not from a text.
import { sha256 } from "@noble/hashes/sha2.js";
import { concatBytes, utf8ToBytes } from "@noble/hashes/utils.js";
import { demand, encode } from "./canonical.mjs";

const TAG = /^[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?$/;
const FORBIDDEN = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u206f\ufeff\ufff0-\ufffb\ufffe\uffff\u{e0000}-\u{10ffff}]/u;
const KINDS = ["preamble", "chapter", "article", "paragraph", "point", "subpoint", "passage", "annex", "closing"];
const HEADS = ["chapter", "article", "annex"];
const NONE = new Uint8Array();

const named = (label, ...parts) => sha256(concatBytes(utf8ToBytes(`detente/${label}/v1\n`), ...parts));

/** The digest of one wording in its languages: { en: "…", … }. */
export function wordingDigest(texts) {
  const tags = Object.keys(texts);
  demand(tags.length > 0 && tags.length <= 24 && tags.every((tag) => TAG.test(tag)), "wording", "no languages, too many, or not in their one spelling");
  let bytes = 0;
  for (const text of Object.values(texts)) {
    demand(text.trim() !== "" && text.normalize("NFC") === text && !FORBIDDEN.test(text), "wording", "blank, not in normal form C, or with a character that is not allowed");
    bytes += utf8ToBytes(text).length;
  }
  demand(bytes <= 49152, "wording", "too long");
  return named("wording", encode(texts));
}

/** The digest of an order of clauses, lines "<kind> <provision>". */
export function orderDigest(order) {
  const seen = new Set(["structure", "title", "names"]);
  const lines = order.split("\n").map((text) => text.trim().split(/\s+/)).filter(([first]) => first !== "");
  for (const [kind, id, ...more] of lines) {
    demand(KINDS.includes(kind) && /^[a-z0-9.-]{1,64}$/.test(id ?? "") && more.length === 0 && !seen.has(id), "order", `${kind} ${id}`);
    seen.add(id);
  }
  demand(lines.length > 0 && lines.length <= 2048, "order", `${lines.length} clauses`);
  return named("structure", utf8ToBytes(lines.map((words) => words.join(" ")).join("\n")));
}

/** What a party commits itself to a wording by. */
export const commitmentDigest = (salt, wording) => named("commitment", salt, wording);

/** The digest of a text: { title, languages, prevailing, clauses: [{ kind, id, texts }], names }. */
export function textDigest(text) {
  const digest = (texts) => (texts && Object.keys(texts).length > 0 ? wordingDigest(texts) : NONE);
  const clauses = text.clauses.map(({ kind, id, texts }) => [kind, id, digest(texts)]);
  return named("text", encode([digest(text.title), text.languages, text.prevailing ?? "", clauses, digest(text.names)]));
}

/** The numbers of the clauses, from their kinds alone: 0 for none. */
export function numbersOf(kinds) {
  const below = (head) => {
    let n = 0;
    for (let i = head + 1; i < kinds.length && !HEADS.includes(kinds[i]); i++) n += kinds[i] === "paragraph" ? 1 : 0;
    return n;
  };
  const annexes = kinds.filter((kind) => kind === "annex").length;
  const at = { chapter: 0, article: 0, annex: 0, paragraph: 0, point: 0, subpoint: 0 };
  let head = -1;
  return kinds.map((kind, i) => {
    if (!(kind in at)) return 0;
    at[kind]++;
    const order = ["annex", "chapter", "article", "paragraph", "point", "subpoint"];
    for (const lower of order.slice(order.indexOf(kind) + 1)) if (!(kind === "chapter" && lower === "article")) at[lower] = 0;
    if (HEADS.includes(kind)) head = i;
    if (kind === "annex" && annexes === 1 || kind === "paragraph" && below(head) === 1) return 0;
    return at[kind];
  });
}

const roman = (n) => {
  let s = "";
  for (const [value, sign] of [[1000, "M"], [900, "CM"], [500, "D"], [400, "CD"], [100, "C"], [90, "XC"], [50, "L"], [40, "XL"], [10, "X"], [9, "IX"], [5, "V"], [4, "IV"], [1, "I"]]) {
    for (; n >= value; n -= value) s += sign;
  }
  return s;
};

const letters = (n, alphabet) => (n === 0 ? "" : letters(Math.floor((n - 1) / alphabet.length), alphabet) + alphabet[(n - 1) % alphabet.length]);

const han = (n) => {
  const digits = [...String(n)].map(Number);
  let s = "";
  digits.forEach((d, i) => {
    const place = digits.length - 1 - i;
    if (d === 0) {
      if (!s.endsWith("零") && digits.slice(i).some((x) => x > 0)) s += "零";
    } else {
      s += (d === 1 && place === 1 && i === 0 ? "" : "零一二三四五六七八九"[d]) + ["", "十", "百", "千"][place];
    }
  });
  return s;
};

const LATIN = [..."abcdefghijklmnopqrstuvwxyz"];
const latin = (chapter, article, annex, open, alphabet = LATIN) => ({
  chapter: (n) => `${chapter} ${roman(n)}`, article: (n) => `${article} ${n}`, annex: (n) => (n ? `${annex} ${n}` : annex), paragraph: (n) => `${n}.`,
  point: (n) => `${open}${letters(n, alphabet)})`, subpoint: (n) => `${open}${roman(n).toLowerCase()})`,
});
const joined = (and) => (names) => (names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} ${and} ${names.at(-1)}`);
const french = latin("Chapitre", "Article", "Annexe", "");
const LANGUAGES = {
  ar: {
    chapter: (n) => `الفصل ${n}`, article: (n) => `المادة ${n}`, annex: (n) => (n ? `المرفق ${n}` : "المرفق"), paragraph: (n) => `${n} -`,
    point: (n) => `(${letters(n, [..."أبجدهوزحطيكلمنسعفصقرشتثخذضظغ"])})`, subpoint: (n) => `(${n})`, list: (names) => names.join(" و"), sign: (name) => `عن ${name}:`,
  },
  en: { ...latin("Chapter", "Article", "Annex", "("), list: joined("and"), sign: (name) => `For ${name}:` },
  es: {
    ...latin("Capítulo", "Artículo", "Anexo", ""), sign: (name) => `Por ${name}:`,
    list: (names) => joined(/^(i|í|hi(?!e))/i.test(names.at(-1)) ? "e" : "y")(names),
  },
  fr: { ...french, article: (n) => (n === 1 ? "Article premier" : french.article(n)), list: joined("et"), sign: (name) => `Pour ${name}\u00a0:` },
  ru: { ...latin("Глава", "Статья", "Приложение", "", [..."абвгдежзиклмнопрстуфхцчшщэюя"]), list: joined("и"), sign: (name) => `За ${name}:`, subpoint: (n) => `${roman(n).toLowerCase()})` },
  zh: {
    chapter: (n) => `第${han(n)}章`, article: (n) => `第${han(n)}条`, annex: (n) => (n ? `附件${han(n)}` : "附件"), paragraph: (n) => `${han(n)}、`,
    point: (n) => `（${han(n)}）`, subpoint: (n) => `${n}.`, list: (names) => (names.length < 2 ? names.join("") : `${names.slice(0, -1).join("、")}和${names.at(-1)}`),
    sign: (name) => `${name}代表：`,
  },
};

/** The original of one party in one of the six languages: { title, blocks: [[kind, label, text]], signatures: [[party, for]], digest }. */
export function originalOf(text, lang, parties, perspective) {
  const words = LANGUAGES[lang];
  const names = new Map(parties.map((party) => [party, new Map()]));
  for (const line of (text.names?.[lang] ?? "").split("\n")) {
    const [, party, form, name] = /^\s*([^\s:]+)(?::(\S*))? +(.*\S)\s*$/.exec(line) ?? [];
    names.get(party)?.set(form ?? "", name);
  }
  const called = (party, form) => names.get(party).get(form ?? "") ?? names.get(party).get("") ?? party.toUpperCase();
  const order = [...parties].sort((a, b) => (b === perspective) - (a === perspective));
  const fill = (s) => (s ?? "").replace(/\{(?:(parties)|(party|side):([0-9]{1,3}))(?::([a-z]{1,12}))?\}/g, (whole, all, which, n, form) => {
    if (all) return words.list(order.map((party) => called(party, form)));
    const party = (which === "side" ? order : parties)[n - 1];
    return party ? called(party, form) : whole;
  });
  const numbers = numbersOf(text.clauses.map(({ kind }) => kind));
  const label = (kind, n) => (n > 0 || kind === "annex" ? words[kind](n) : "");
  const title = fill(text.title[lang]);
  const blocks = text.clauses.map(({ kind, texts }, i) => [kind, label(kind, numbers[i]), fill(texts?.[lang])]);
  const signatures = order.map((party) => [party, words.sign(called(party, "for"))]);
  return { title, blocks, signatures, digest: named("original", encode([lang, title, blocks, signatures])) };
}
