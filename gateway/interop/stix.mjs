// The schemas of the OASIS TC for STIX 2.1, compiled by Ajv: another compiler of JSON Schema, by other people and in another language, than the one
// that the gateway uses.

import Ajv2020 from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import fs from "node:fs";
import path from "node:path";
import { root } from "./world.mjs";

const folder = path.join(root, "stix", "schemas");

// schemas gives what holds an object against the schema of its type and returns what is wrong: an empty list if nothing is, nothing for a type that the
// schemas do not know.
export function schemas() {
  // Their patterns escape what need not be escaped, which ECMAScript takes only without its flag for Unicode.
  const ajv = new Ajv2020({ strict: false, unicodeRegExp: false });
  addFormats(ajv).addFormat("idn-hostname", true); // which it does not know: any string passes
  const ids = new Map();
  for (const name of fs.readdirSync(folder, { recursive: true })) {
    if (!name.endsWith(".json")) continue;
    const schema = JSON.parse(fs.readFileSync(path.join(folder, name), "utf8"));
    ajv.addSchema(schema);
    ids.set(schema.title, schema.$id);
  }
  return (object) => {
    const check = ajv.getSchema(ids.get(object.type) ?? "");
    return check && (check(object) ? [] : check.errors.map((e) => `${e.instancePath} ${e.message}`));
  };
}
