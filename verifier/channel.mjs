// The charter of a channel: its members and what they demand of one another's statements (protocol.md#channel).
// It never asks whether the channel was established: whoever signed a statement on it has named its id.
import { compareBytes, decode, demand } from "./canonical.mjs";
import { ED25519, isAlgorithm, sha256, utf8ToBytes } from "./key.mjs";
import { areDistinct, demandFields, isArrayOf, isHash, isParty, isPost, isReadable, isUint } from "./shapes.mjs";

const CHANNEL_LIMIT = 16384;
const MOST_MEMBERS = 64;
const MOST_ALGORITHMS = 16;
const MOST_FORMS = 64;
const MOST_POSTS = 64;
const REQUIRED = ["kind", "name", "members", "genesis", "posts", "regime", "open", "protected", "signatures"];
const CODE = "channel";

const isName = (value) => isReadable(value, 1, 128);

/** Parses a channel's charter: its fields, and `id`. */
export function parseChannel(bytes) {
  const map = decode(bytes, CHANNEL_LIMIT);
  demandFields(map, REQUIRED, ["also", "nonce"], CODE, "the channel's charter");
  const channel = { id: sha256(bytes), ...Object.fromEntries(map) };
  const { kind, name, members, genesis, posts, regime, open, signatures, also, nonce } = channel;
  demand(["link", "public", "internal", "common"].includes(kind), CODE, "the kind is not one");
  demand(isName(name), CODE, "the name is not a text");
  const least = kind === "common" ? 2 : 1;
  demand(isArrayOf(members, isParty, least, MOST_MEMBERS) && isAscending(members), CODE, "the members are not sorted parties, or too few or too many");
  demandFields(genesis, members, [], CODE, "genesis");
  demand([...genesis.values()].every(isHash), CODE, "a genesis is not a hash");
  demand(isArrayOf(posts, isPost, 0, MOST_POSTS) && areDistinct(posts), CODE, "the posts are not post ids, each once, or too many");
  demand(Array.isArray(regime) && [2, 3].includes(regime.length) && isName(regime[0]) && isUint(regime[1], 1), CODE, "the regime is not [id, version, hash]");
  demand(regime.length === 2 || (isHash(regime[2]) && regime[2].some((byte) => byte !== 0)), CODE, "the regime's hash is not one");
  demand(typeof open === "boolean" && typeof channel.protected === "boolean", CODE, "open and protected are not true or false");
  demand(isAlgorithms(signatures) && signatures.includes(ED25519), CODE, "signatures are not algorithms, Ed25519 among them");
  demand(also === undefined || isAlso(also), CODE, "also is not a map from form to algorithms");
  demand(nonce === undefined || (nonce instanceof Uint8Array && nonce.length === 16), CODE, "the nonce is not 16 bytes");
  if (kind === "common") demand(regime.length === 3 && nonce, CODE, "a common channel has the regime's hash and a nonce");
  else demandFollowsFromPairing(channel);
  return channel;
}

const isAlso = (value) =>
  value instanceof Map && isArrayOf([...value], ([form, algs]) => isName(form) && isAlgorithms(algs), 1, MOST_FORMS);
const isAscending = (texts) => texts.every((text, i) => i === 0 || compareBytes(utf8ToBytes(texts[i - 1]), utf8ToBytes(text)) < 0);
const isAlgorithms = (value) => isArrayOf(value, isAlgorithm, 1, MOST_ALGORITHMS) && areDistinct(value);

function demandFollowsFromPairing({ kind, name, members, posts, regime, open, signatures, also, nonce, ...rest }) {
  const [count, isOpen, under] = { link: [2, false, "link"], public: [1, true, "public"], internal: [1, false, "internal"] }[kind];
  const fixed =
    name === kind && members.length === count && posts.length === 0 && regime.length === 2 && regime[0] === under && regime[1] === 1 &&
    open === isOpen && rest.protected && signatures.length === 1 && signatures[0] === ED25519 && !also && !nonce;
  demand(fixed, CODE, `the ${kind} channel is not the one that follows from pairing`);
}

/** The algorithms that the signature set of a statement of this form must hold. */
export const algorithmsDemanded = (channel, form) => [...channel.signatures, ...(channel.also?.get(form) ?? [])];
