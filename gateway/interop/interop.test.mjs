// What the gateway serves, as a client sees it that knows the specification only, and what it lets in, as other people's validator sees it.

import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { after, before, test } from "node:test";
import zlib from "node:zlib";
import { schemas } from "./stix.mjs";
import { Client, elements, media, Refused } from "./taxii.mjs";
import { root, until, World } from "./world.mjs";

const week = zlib.gunzipSync(fs.readFileSync(path.join(root, "stix", "testdata", "maltrail", "week.ndjson.gz"))).toString().trim().split("\n");
const posted = [40, 700, 1400, 2100, 2800].flatMap((at) => week.slice(at, at + 20)); // a hundred indicators, of several malwares
const clear = "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487";
const malware = (version, name) => JSON.stringify({
  type: "malware", spec_version: "2.1", id: "malware--1f2a8a34-6d2b-4d0f-9f3e-0a1c2b3d4e5f", created: "2026-11-01T00:00:00.000Z", modified: version, name, is_family: true,
  object_marking_refs: [clear],
});
const versions = [malware("2026-11-01T00:00:00.000Z", "first"), malware("2026-11-02T00:00:00.123456Z", "second"), malware("2026-11-03T00:00:00.000Z", "third")];
const check = schemas();

let world, north, south, out, into;

before(async () => {
  world = await World.open();
  out = await world.north.collection("cert to members");
  into = await world.south.collection("cert from xn");
  north = new Client(world.north.origin, world.north.token("writer", "--read", "*", "--write", "cert to members"));
  south = new Client(world.south.origin, world.south.token("reader", "--read", "*"));
}, { timeout: 120_000 });

after(() => world?.close());

// refused says that a request is answered with an error of this status, and gives it.
async function refused(status, request) {
  const e = await request.then(() => assert.fail(`not refused, ${status} is expected`), (e) => e);
  if (!(e instanceof Refused)) throw e;
  assert.equal(e.status, status, e.message);
  return e;
}

const parsed = (raw) => raw.map((r) => JSON.parse(r));
const ids = (raw) => parsed(raw).map((o) => o.id);

test("from discovery to the collections", async () => {
  for (const [client, id, writes] of [[north, out, true], [south, into, false]]) {
    await client.discover();
    const list = await client.collections();
    const found = list.find((c) => c.id === id);
    assert.deepEqual([found.can_read, found.can_write], [true, writes]);
    const { body } = await client.get(client.at(id));
    assert.deepEqual(body, found, "5.2: alone it is what it is in the list");
  }
});

test("whoever shows no token, or a wrong one, is told how and nothing else", async () => {
  for (const token of ["", "dtx_wrong"]) {
    for (const url of ["/taxii2/", north.root, north.at(out), north.root + "nothing/"]) {
      const e = await refused(401, north.get(url, { token }));
      assert.match(e.headers.get("www-authenticate"), /realm=/, "1.6.9: how to authenticate");
    }
  }
});

test("media types", async () => {
  for (const accept of ["application/taxii+json;version=2.0", "text/html", "application/vnd.oasis.taxii+json"]) {
    await refused(406, north.get("/taxii2/", { headers: { Accept: accept } }));
  }
  for (const accept of ["application/taxii+json", "application/taxii+json; version=2.1", "*/*", `text/html, ${media};q=0.5`]) {
    await north.get("/taxii2/", { headers: { Accept: accept } });
  }
  for (const type of ["application/json", "application/taxii+json;version=2.0", "application/stix+json;version=2.1"]) {
    await refused(415, north.ask("POST", north.at(out, "objects/"), { headers: { "Content-Type": type }, body: `{"objects":[${posted[0]}]}` }));
  }
});

test("an empty collection has an empty envelope", async () => {
  for (const rest of ["objects/", "manifest/"]) {
    const { text, headers } = await north.get(north.at(out, rest));
    assert.equal(text, "{}");
    assert.equal(headers.get("x-taxii-date-added-first"), null);
  }
});

test("objects are posted, and the status is asked for until it is complete", async () => {
  let s = await north.add(out, posted.slice(0, 60));
  assert.deepEqual([s.success_count, s.failure_count], [60, 0]);
  const broken = JSON.stringify({ ...JSON.parse(posted[60]), pattern: "[domain-name:value = 'x'" });
  const unknown = JSON.stringify({ ...JSON.parse(posted[61]), object_marking_refs: ["marking-definition--00000000-0000-4000-8000-000000000000"] });
  s = await north.add(out, [...posted.slice(60), broken, unknown]);
  assert.deepEqual([s.success_count, s.failure_count], [40, 2], JSON.stringify(s.failures));
  for (const f of s.failures) assert.ok(f.message.length > 0, "a reason stands with each");
  s = await north.add(out, posted.slice(0, 10));
  assert.equal(s.failure_count, 0, "what is there already is no failure");
  for (const v of versions) assert.equal((await north.add(out, [v])).success_count, 1);
  await refused(422, north.ask("POST", north.at(out, "objects/"), { headers: { "Content-Type": media }, body: "[1,2" }));
  await refused(413, north.ask("POST", north.at(out, "objects/"), { headers: { "Content-Type": media }, body: `{"objects":[${'"'.padEnd(north.max, "x")}"]}` }));
  await refused(404, south.get(`${south.root}status/${s.id}/`), "another's status");
});

test("pages miss nothing and repeat nothing, by next and by stamps", async () => {
  const whole = await north.objects(out, { "match[version]": "all" });
  assert.equal(whole.all.length, posted.length + versions.length);
  for (const by of ["next", "stamps"]) {
    for (const limit of [1, 7, 50]) {
      const { all, pages } = await north.objects(out, { "match[version]": "all", limit }, by);
      assert.deepEqual(all, whole.all, `${by}, ${limit}`);
      assert.equal(pages.length, Math.ceil(whole.all.length / limit));
    }
  }
  const half = whole.pages[0].first;
  const later = await north.objects(out, { "match[version]": "all", added_after: half });
  assert.deepEqual(later.all, whole.all.slice(1), "3.4.1: added_after is after, not from");
  assert.deepEqual((await north.objects(out, { added_after: whole.pages.at(-1).last })).all, []);
});

test("the manifest tells of each object when it was added, in that order", async () => {
  const { all: rows, pages } = await north.manifest(out, { "match[version]": "all", limit: 25 });
  const { all } = await north.objects(out, { "match[version]": "all" });
  assert.deepEqual(rows.map((r) => [r.id, Date.parse(r.version)]), parsed(all).map((o) => [o.id, Date.parse(o.modified)]));
  const stamps = rows.map((r) => r.date_added);
  assert.deepEqual(stamps, [...new Set(stamps)].sort(), "no two are alike, and they go up");
  assert.equal(pages[0].first, rows[0].date_added);
  assert.equal(pages[0].last, rows[24].date_added);
  for (const r of rows) assert.equal(r.media_type, "application/stix+json;version=2.1");
});

test("filters", async () => {
  const { all } = await north.objects(out, { "match[version]": "all" });
  const every = parsed(all);
  const some = every.slice(3, 9).map((o) => o.id);
  const cases = [
    [{ "match[type]": "malware" }, (o) => o.name === "third"],
    [{ "match[type]": "indicator,campaign" }, (o) => o.type === "indicator"],
    [{ "match[id]": some.join(",") }, (o) => some.includes(o.id)],
    [{ "match[id]": some.join(","), "match[type]": "malware" }, () => false],
    [{ "match[spec_version]": "2.1" }, (o) => o.type === "indicator" || o.name === "third"],
    [{ "match[spec_version]": "2.0" }, () => false],
    [{ "match[type]": "malware", "match[version]": "first" }, (o) => o.name === "first"],
    [{ "match[type]": "malware", "match[version]": "last" }, (o) => o.name === "third"],
    [{ "match[type]": "malware", "match[version]": "first,last" }, (o) => ["first", "third"].includes(o.name)],
    [{ "match[type]": "malware", "match[version]": "2026-11-02T00:00:00.123456Z" }, (o) => o.name === "second"],
    [{ "match[type]": "malware", "match[version]": "all" }, (o) => o.type === "malware"],
  ];
  for (const [query, wanted] of cases) {
    const got = await north.objects(out, { ...query, limit: 9 });
    assert.deepEqual(got.all, all.filter((_, i) => wanted(every[i])), JSON.stringify(query));
    assert.deepEqual((await north.manifest(out, query)).all.map((r) => r.id), ids(got.all));
  }
  for (const query of [{ "match[colour]": "red" }, { limit: "0" }, { limit: "many" }, { added_after: "yesterday" }, { next: "!" }, { "match[version]": "newest" }]) {
    await refused(400, north.objects(out, query));
  }
});

test("one object, and its versions", async () => {
  const id = JSON.parse(versions[0]).id;
  assert.deepEqual((await north.object(out, id)).all, [versions[2]], "5.6: the last, where nothing is said");
  assert.deepEqual((await north.object(out, id, { "match[version]": "all", limit: 1 })).all, versions);
  const list = (await north.versions(out, id, { limit: 2 })).all;
  assert.deepEqual(list.map((v) => Date.parse(v)), versions.map((v) => Date.parse(JSON.parse(v).modified)));
  for (const v of list) assert.equal((await north.object(out, id, { "match[version]": v })).all.length, 1, `${v} is a version that can be asked for`);
  for (const rest of ["", "versions/"]) await refused(404, north.get(north.at(out, `objects/malware--00000000-0000-4000-8000-000000000000/${rest}`)));
});

test("what is not there, or not permitted", async () => {
  const nobody = "00000000-0000-4000-8000-000000000000";
  for (const url of [north.at(nobody), north.at(nobody, "objects/"), north.at(nobody, "manifest/"), north.root + "nothing/", "/taxii2/nothing/"]) await refused(404, north.get(url));
  await refused(403, south.ask("POST", south.at(into, "objects/"), { headers: { "Content-Type": media }, body: `{"objects":[${posted[0]}]}` }));
  const e = await refused(405, north.ask("PUT", north.at(out, "objects/"), { body: "{}" }));
  assert.match(e.headers.get("allow"), /GET/);
});

test("what was posted at one end is served at the other, byte for byte, and by the command line", async () => {
  const wanted = new Set([...posted, ...versions]);
  const got = await until("all objects", async () => {
    const { all } = await south.objects(into, { "match[version]": "all", limit: 30 });
    return all.length >= wanted.size && all;
  });
  assert.deepEqual(new Set(got), wanted);
  assert.equal(got.length, wanted.size);
  const lines = world.south.run(["stix", "export", "cert from xn"]).trim().split("\n");
  assert.deepEqual(lines, got);
  await refused(403, north.ask("DELETE", north.at(out, `objects/${ids(posted)[0]}/`))); // it was said
});

test("another validator finds no fault in what is served and exported", async () => {
  const served = [...(await north.objects(out, { "match[version]": "all" })).all, ...(await south.objects(into, { "match[version]": "all" })).all,
    ...world.south.run(["stix", "export", "cert from xn"]).trim().split("\n")];
  assert.equal(served.length, 3 * (posted.length + versions.length));
  for (const o of parsed(served)) assert.deepEqual(check(o), [], o.id);
});

// spoilt makes objects out of real ones, each with one thing wrong, or right: a member left out, another value, a member more.
function* spoilt() {
  const folder = path.join(root, "stix", "testdata", "oasis");
  const real = fs.readdirSync(folder).filter((f) => f.endsWith(".json")).flatMap((f) => elements(fs.readFileSync(path.join(folder, f), "utf8"), "objects"));
  let n = 0;
  for (const text of [...real, posted[0], versions[1]]) {
    const o = JSON.parse(text);
    // Each is an object of its own, else they would be versions of one.
    const fresh = () => ({ ...o, id: o.id.slice(0, -12) + String(n++).padStart(12, "0") });
    yield fresh();
    for (const key of Object.keys(o)) {
      const { [key]: _, ...less } = fresh();
      yield less;
      for (const value of ["", "x", 7, -1, true, [], [1], {}, ["x", "x"], "2026-13-01T00:00:00Z"]) yield { ...fresh(), [key]: value };
    }
    for (const more of [{ confidence: 101 }, { labels: [] }, { lang: 3 }, { external_references: [{}] }, { object_marking_refs: ["tlp"] }, { Upper: 1 }, { x: null }]) yield { ...fresh(), ...more };
  }
}

test("two validators agree on thousands of spoilt objects", () => {
  const list = [...spoilt()].filter((o) => check(o));
  assert.ok(list.length > 5000, `${list.length} objects`);
  const file = path.join(world.dir, "spoilt.ndjson");
  fs.writeFileSync(file, list.map((o) => JSON.stringify(o)).join("\n") + "\n");
  let answer;
  try {
    answer = world.north.run(["stix", "validate", file, "--json"]);
  } catch (e) {
    answer = e.stdout; // it ends with 1, because some are refused
  }
  const { found } = JSON.parse(answer);
  assert.equal(found.length, list.length);
  const differ = [];
  let both = 0;
  for (const [i, o] of list.entries()) {
    const there = check(o);
    const say = (what) => differ.push(`${what}: ${JSON.stringify(o)}\n  there: ${there[0]}; here: ${JSON.stringify(found[i].faults)}`.slice(0, 600));
    if (found[i].ok && there.length) say("refused there alone");
    // The gateway asks more than the schemas say: a pattern must parse, times must be in their order.
    if (!found[i].ok && !there.length && found[i].faults.some((f) => !["/pattern", "/modified", "/valid_until"].includes(f.path))) say("refused here alone");
    both += !found[i].ok && there.length > 0;
  }
  assert.deepEqual(differ.slice(0, 20), [], `${differ.length} of ${list.length}`);
  assert.ok(both > 1000, `both refuse ${both}`);
});

test("whoever polls while others post has everything at the end, and nothing twice", async () => {
  const more = week.slice(4000, 4090);
  let after = (await north.objects(out)).pages.at(-1).last;
  const got = [];
  let writing = true;
  const writers = [0, 1, 2].map(async (w) => {
    for (let i = w; i < more.length; i += 3) await north.add(out, [more[i]]);
  });
  const poller = (async () => {
    for (let last = false; !last;) {
      last = !writing; // once more after the last writer has ended
      const { all, pages } = await north.objects(out, { added_after: after, "match[version]": "all", limit: 2 });
      got.push(...all);
      after = pages.at(-1).last ?? after;
    }
  })();
  await Promise.all(writers);
  writing = false;
  await poller;
  assert.deepEqual([...got].sort(), [...more].sort());
});
