// The release: the digest that a second person approves, and his approval by a passkey (protocol.md#release).
// It never tells who that person is, nor whose the key is: it only tells that this key has approved this statement.
import { createPublicKey, verify } from "node:crypto";
import { decode, demand, encode, equalBytes } from "./canonical.mjs";
import { concatBytes, sha256, utf8ToBytes } from "./key.mjs";

const DOMAIN = utf8ToBytes("detente.release.v1\n");
const ASSERTION_LIMIT = 8192;
const KEY_LIMIT = 4096;
const PRESENT = 1 << 0;
const VERIFIED = 1 << 2;
// Of COSE keys: ECDSA on P-256 with SHA-256, and RSA with PKCS #1 and SHA-256.
const ES256 = -7;
const RS256 = -257;

/** The digest of what was decided, from the statement that was sent. */
export function releaseDigest(s) {
  const fields = [
    [1, s.issuer], [2, s.audience], [3, s.channel], [4, s.plane], [5, s.precedence], [6, s.form], [7, s.formVersion], [8, s.dossier],
    [9, s.refs], [10, s.language], [11, s.marking], [12, s.drafter], [13, s.releaser], [14, s.envelope.payload],
  ];
  return sha256(concatBytes(DOMAIN, encode(new Map(fields.filter(([, value]) => value !== undefined)))));
}

/** Throws unless the assertion is the approval of the digest by the COSE key; gives the origin of the page on which it was given. */
export function demandApproval(credential, assertion, digest) {
  const no = (condition, why) => demand(condition, "assertion", why);
  const parts = readMap(assertion, ASSERTION_LIMIT, no);
  const [data, client, signature] = [1, 2, 3].map((key) => parts.get(key));
  no(parts.size === 3 && [data, client, signature].every((part) => part instanceof Uint8Array), "the assertion is malformed");

  const said = readClient(client, no);
  no(said.type === "webauthn.get", "the assertion is of another ceremony");
  no(said.challenge === Buffer.from(digest).toString("base64url"), "another digest was approved");
  no(said.crossOrigin !== true, "the page stood within another's");
  const host = URL.canParse(said.origin) ? new URL(said.origin).hostname : "";
  no(host !== "", "the origin is malformed");

  no(data.length >= 37, "the authenticator data is cut off");
  no((data[32] & PRESENT) !== 0 && (data[32] & VERIFIED) !== 0, "the person was not verified");
  const labels = host.split(".");
  no(labels.some((_, i) => equalBytes(sha256(utf8ToBytes(labels.slice(i).join("."))), data.subarray(0, 32))), "the key belongs to another site");

  const key = publicKey(credential, no);
  no(verify("sha256", concatBytes(data, sha256(client)), key, signature), "the signature is not of that key");
  return said.origin;
}

function readMap(bytes, limit, no) {
  let map;
  try {
    map = decode(bytes, limit);
  } catch {
    no(false, "the bytes are malformed");
  }
  no(map instanceof Map, "the bytes are no map");
  return map;
}

function readClient(bytes, no) {
  let said;
  try {
    said = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    no(false, "the client data is malformed");
  }
  no(typeof said === "object" && said !== null, "the client data is malformed");
  return said;
}

function publicKey(credential, no) {
  const cose = readMap(credential, KEY_LIMIT, no);
  const text = (key) => (cose.get(key) instanceof Uint8Array ? Buffer.from(cose.get(key)).toString("base64url") : "");
  const jwk =
    cose.get(1) === 2 && cose.get(3) === ES256 && cose.get(-1) === 1 ? { kty: "EC", crv: "P-256", x: text(-2), y: text(-3) }
    : cose.get(1) === 3 && cose.get(3) === RS256 ? { kty: "RSA", n: text(-1), e: text(-2) }
    : undefined;
  no(jwk, "the key is of a kind that this verifier does not know");
  try {
    return createPublicKey({ key: jwk, format: "jwk" });
  } catch {
    return no(false, "the key is malformed");
  }
}
