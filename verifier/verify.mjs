#!/usr/bin/env node
// The command line of the second verifier.
// It never opens a network connection, never reads more of a file than the largest case, and never writes one.
import { closeSync, openSync, readSync } from "node:fs";
import { parseArgs } from "node:util";
import { demand, Refusal } from "./canonical.mjs";
import { CASE_LIMIT, isCaseFile, judgeCase, parseCase } from "./case.mjs";
import { isCharterFile, linkCharters, parseCharterFile } from "./charter.mjs";
import { decodeFile, judgeFork, judgeProof, kindOf, parseFork, parseProof } from "./proof.mjs";
import { caseObject, chartersObject, forkObject, proofObject, refusedObject, safe, toJSON, toLines } from "./report.mjs";

const USAGE = `usage: verify.mjs [--json] [--words LISTS] FILE…

FILEs are proof files, case files, fork objects and charter files, in any order. The charters in charter files are those you
trust; alone they are told by their fingerprints: compare these with what the parties told you by another way.
With --words they are told in words too, from the lists of testdata/vectors/fingerprint.json.

exit codes: 0 proved, 1 refused, 2 wrong use`;

class WrongUse extends Error {}

function main(args) {
  const { values, positionals } = readArguments(args);
  if (values.help) return console.log(USAGE) ?? 0;
  if (positionals.length === 0) throw new WrongUse("no file is given");
  const lists = values.words === undefined ? [] : readLists(values.words);
  const files = positionals.map((path) => ({ path, bytes: readBounded(path) }));
  const objects = judge(files, lists);
  for (const object of objects) console.log(values.json ? toJSON(object) : toLines(object).join("\n"));
  return objects.every((object) => object.verdict === "proved") ? 0 : 1;
}

function readArguments(args) {
  try {
    return parseArgs({ args, allowPositionals: true, options: { json: { type: "boolean" }, words: { type: "string" }, help: { type: "boolean", short: "h" } } });
  } catch (error) {
    throw new WrongUse(error.message);
  }
}

function readLists(path) {
  try {
    const vectors = JSON.parse(new TextDecoder().decode(readBounded(path)));
    return vectors.filter(({ even, odd }) => even?.length === 256 && odd?.length === 256).map(({ language, even, odd }) => [language, [even, odd]]);
  } catch (error) {
    throw error instanceof WrongUse ? error : new WrongUse(`${path} holds no word lists`);
  }
}

// One byte more than the limit is enough to see that a file is too large, also when it is a device without an end.
function readBounded(path) {
  const buffer = new Uint8Array(CASE_LIMIT + 1);
  let length = 0;
  try {
    const file = openSync(path, "r");
    try {
      for (let n = -1; n !== 0 && length < buffer.length; length += n) n = readSync(file, buffer, length, buffer.length - length, null);
    } finally {
      closeSync(file);
    }
  } catch (error) {
    throw new WrongUse(`${path}: ${error.code ?? error.message}`);
  }
  return buffer.slice(0, length);
}

// One object for each proof and fork; for the charters when there is nothing else; for a file that is none of them.
function judge(files, lists) {
  const trusted = [];
  const cases = [];
  for (const { path, bytes } of files) {
    let kind = "file";
    try {
      if (isCaseFile(bytes)) {
        kind = "case";
        cases.push({ kind, value: parseCase(bytes) });
        continue;
      }
      const value = decodeFile(bytes);
      kind = isCharterFile(value) ? "charters" : kindOf(value);
      demand(kind, "proof-shape", `${path} is not a proof, a fork or a charter file`);
      if (kind === "charters") trusted.push(...parseCharterFile(value));
      else cases.push({ kind, value });
    } catch (error) {
      return [refusedObject(kind ?? "file", asRefusal(error))];
    }
  }
  if (cases.length === 0) return [attempt("charters", () => chartersObject(linkCharters(trusted), lists))];
  const verdicts = {
    proof: (value) => proofObject(judgeProof(parseProof(value), trusted)),
    fork: (value) => forkObject(judgeFork(parseFork(value), trusted)),
    case: (value) => caseObject(judgeCase(value, trusted)),
  };
  return cases.map(({ kind, value }) => attempt(kind, () => verdicts[kind](value)));
}

function attempt(kind, work) {
  try {
    return work();
  } catch (error) {
    return refusedObject(kind, asRefusal(error));
  }
}

// What this program did not foresee in a file is a reason to refuse the file, not to show its own entrails.
function asRefusal(error) {
  return error instanceof Refusal ? error : new Refusal("internal", `the file could not be judged: ${error.message}`);
}

try {
  process.exitCode = main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof WrongUse)) throw error;
  console.error(`verify.mjs: ${safe(error.message)}\n\n${USAGE}`);
  process.exitCode = 2;
}
