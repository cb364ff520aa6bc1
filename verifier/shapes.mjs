// The small values that several structures of the protocol share: names, hashes, times, planes, precedences, feed names.
// It never knows which structure it serves: the caller gives the reason code.
import { demand } from "./canonical.mjs";
import { hex } from "./key.mjs";

const PARTY = /^[a-z0-9-]{2,32}$/;
const POST = /^[a-z0-9-]{1,32}$/;
const PLANES = ["real", "exercise", "test"];
const PRECEDENCES = ["Z", "O", "P", "R"];

const LAST_SECOND = 253402300799;

const TURNS = /[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/; // eslint-disable-line no-control-regex

const integer = (value) => typeof value === "number" || typeof value === "bigint";

export const isUint = (value, least = 0) => integer(value) && value >= least;
/** A time: seconds since 1970, at most the last second of the year 9999. */
export const isTime = (value) => isUint(value) && value <= LAST_SECOND;
/** An epoch of a feed. */
export const isEpoch = (value) => isUint(value) && value < 2 ** 31;
export const isText = (value, min = 0, max = Infinity) => {
  if (typeof value !== "string") return false;
  const length = new TextEncoder().encode(value).length;
  return length >= min && length <= max;
};
/** A text that people read, of `min` to `max` bytes: without controls and without characters that turn the direction of writing. */
export const isReadable = (value, min = 1, max = 256) => isText(value, min, max) && !TURNS.test(value);
/** A language tag or the name of a route. */
export const isTag = (value) => typeof value === "string" && /^[A-Za-z0-9-]{1,35}$/.test(value);
/** Whether no value stands twice. */
export const areDistinct = (values) => new Set(values).size === values.length;
export const isParty = (value) => typeof value === "string" && PARTY.test(value);
export const isPost = (value) => typeof value === "string" && POST.test(value);
export const isAddress = (value) => {
  if (typeof value !== "string") return false;
  const parts = value.split("/");
  return parts.length === 2 && isParty(parts[0]) && isPost(parts[1]);
};
export const isHash = (value) => value instanceof Uint8Array && value.length === 32;
export const isPlane = (value) => PLANES.includes(value);
export const isPrecedence = (value) => PRECEDENCES.includes(value);
export const isArrayOf = (value, each, least = 0, most = Infinity) =>
  Array.isArray(value) && value.length >= least && value.length <= most && value.every((item) => each(item));

/** Demands a map whose keys are all of `required`, and otherwise only some of `optional`. */
export function demandFields(map, required, optional, code, what) {
  demand(map instanceof Map, code, `${what} is not a map`);
  for (const key of required) demand(map.has(key), code, `${what} lacks ${key}`);
  for (const key of map.keys()) demand(required.includes(key) || optional.includes(key), code, `${what} has the unknown field ${key}`);
}

/** Parses a feed name, `[channel id, party, plane, precedence, epoch]`, and gives it its origin (protocol.md#feed). */
export function parseFeedName(value, code) {
  demand(Array.isArray(value) && value.length === 5, code, "a feed name is an array of five");
  const [channel, party, plane, precedence, epoch] = value;
  demand(isHash(channel) && isParty(party) && isPlane(plane) && isPrecedence(precedence) && isEpoch(epoch), code, "a feed name has a field that is not one");
  return { channel, party, plane, precedence, epoch, origin: `detente.v1/${hex(channel)}/${party}/${plane}/${precedence}/${epoch}` };
}

/** Whether a text is the origin of a feed, in its one spelling. */
export function isOrigin(text) {
  const [version, channel, party, plane, precedence, epoch, ...rest] = text.split("/");
  return version === "detente.v1" && /^[0-9a-f]{64}$/.test(channel) && isParty(party) && isPlane(plane) && isPrecedence(precedence) &&
    /^(0|[1-9][0-9]{0,9})$/.test(epoch) && isEpoch(Number(epoch)) && rest.length === 0;
}
