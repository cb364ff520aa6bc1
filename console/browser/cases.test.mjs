// Cases as officers of two parties deal with them, told as a story in a browser: asked, answered, closed; what was declared, the ledger, the collections.

import assert from "node:assert/strict";
import fs from "node:fs";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";
import { until, World } from "./world.mjs";

const axe = fs.readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

let world, anna, vera;
let number = ""; // of the case
let notice = ""; // of the declared activity

// dtg is a date-time group, some minutes from now.
const dtg = (minutes) => {
  const t = new Date(Date.now() + minutes * 60_000);
  const two = (n) => String(n).padStart(2, "0");
  return `${two(t.getUTCDate())}${two(t.getUTCHours())}${two(t.getUTCMinutes())}Z ${["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"][t.getUTCMonth()]} ${two(t.getUTCFullYear() % 100)}`;
};

const green = ["marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb"];
const indicator = (n, value) => ({ object_marking_refs: green, type: "indicator", spec_version: "2.1", id: `indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd${n}`, created: "2026-04-06T20:03:48.000Z", modified: "2026-04-06T20:03:48.000Z",
  name: `Relay ${value}`, indicator_types: ["malicious-activity"], pattern: `[ipv4-addr:value = '${value}' OR domain-name:value = 'relay${n}.example']`, pattern_type: "stix", valid_from: "2026-01-01T00:00:00Z" });

const bundle = () => Buffer.from(JSON.stringify({ type: "bundle", id: "bundle--44af6c39-c09b-49c5-9de2-394224b04982", objects: [indicator("10", "198.51.100.7"), indicator("11", "198.51.100.9"),
  { object_marking_refs: green, type: "malware", spec_version: "2.1", id: "malware--31b940d4-6f7f-459a-80ea-9c1f17b5891b", created: "2026-04-06T20:07:09.000Z", modified: "2026-04-06T20:07:09.000Z", is_family: true, name: "Poison Ivy" },
  { object_marking_refs: green, type: "relationship", spec_version: "2.1", id: "relationship--44298a74-ba52-4f0c-87a3-1824e67d7fad", created: "2026-04-06T20:06:37.000Z", modified: "2026-04-06T20:06:37.000Z", relationship_type: "indicates", source_ref: "indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd10", target_ref: "malware--31b940d4-6f7f-459a-80ea-9c1f17b5891b" }] }));

before(async () => {
  world = await World.open({ regime: "incidents/1" });
  const { north, south } = world;
  const links = [await north.enrol("anna", "Anna Berg", "en", "head-of-post", "administrator"), await south.enrol("vera", "Вера Орлова", "en", "head-of-post")];
  const roster = (duty) => ({ text: `post = "nrrc"\ncovers = ["cert", "experts", "council", "mfa"]\nzone = "UTC"\nduty-officer = "${duty}"\ndeputy = "${duty}"\n` });
  await north.ask("PUT", "/v1/rosters/nrrc", roster("anna"));
  await south.ask("PUT", "/v1/rosters/nrrc", roster("vera"));
  anna = await world.sit(north, links[0]);
  vera = await world.sit(south, links[1]);
  const said = await south.ask("POST", "/v1/cases", { channel: "nrrc", to: "xn", post: "nrrc", precedence: "R", form: "planned-activity", language: "en", text: {
    class: "scan", text: "A survey of our own suppliers.", window: `${dtg(-120)}/${dtg(60 * 24 * 3)}`, sources: "198.51.100.0/24", networks: "203.0.113.0/24", recognition: "User-Agent: survey", contact: "cert@xs.example", intensity: "low", short_notice: "The supplier asked for it yesterday." } });
  notice = said.number;
}, { timeout: 120_000 });

after(() => world?.close());

async function clean(desk, where) {
  const found = await desk.page.evaluate(`${axe}; axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] })`);
  const faults = found.violations.map((v) => `${where}: ${v.id}: ${v.help}: ${v.nodes.map((n) => n.html.slice(0, 200)).join(" | ")}`);
  assert.deepEqual(faults, []);
}

function quiet(...desks) {
  for (const d of desks) assert.deepEqual(d.faults, [], "what the browser's console says");
}

test("a declared activity is shown before an officer asks about what it explains", async () => {
  const { page } = anna;
  await until("the notice", async () => (await anna.party.ask("GET", "/v1/calendar")).activities.length);
  await anna.go("/real/watch");
  await page.keyboard.press("g");
  await page.keyboard.press("c");
  await page.waitForURL("**/real/cases");
  await anna.go("/real/compose");
  await page.click('a[href*="form=clarification"]');
  await page.fill('[name="f.observed"]', dtg(-60));
  await page.fill('[name="f.observed.until"]', dtg(-30));
  await page.fill('[id="f.observation"]', "Machines of a power utility are being scanned, apparently from your territory.");
  await page.fill('[id="f.sources"]', "198.51.100.7");
  await page.selectOption("#precedence", "P");
  await until("the match in the preview", async () => (await page.textContent("#preview")).includes(notice));
  assert.match(await page.textContent("#preview"), /gets its number when this is sent/);
  await clean(anna, "compose with a match");
  await anna.picture("cases-compose-match");
  quiet(anna);
});

test("a case is opened, and the node gives it its number", async () => {
  const { page } = anna;
  for (const f of await page.locator("#compose select:visible").all()) {
    const name = await f.getAttribute("name");
    if (name?.startsWith("f.") && !(await f.inputValue())) await f.selectOption({ index: 1 });
  }
  await page.check('input[name="f.asked"] >> nth=0');
  await page.setInputFiles('[id="f.attachments"]', { name: "indicators.json", mimeType: "application/stix+json", buffer: bundle() });
  await Promise.all([page.waitForURL("**said=sent**").catch(async () => assert.fail(await page.textContent("main"))), page.click("#send")]);
  await page.keyboard.press("c");
  await page.waitForURL("**/real/case?**");
  number = (await page.textContent("h1 .code")).trim();
  assert.match(number, /^xn\/\d\d-\d{4}$/);
  assert.match(await page.textContent(".owing"), /Other side/);
  assert.match(await page.textContent(".annex"), /198\[\.\]51\[\.\]100\[\.\]7/);
  assert.doesNotMatch(await page.textContent(".annex"), /198\.51\.100/);
  assert.equal(await page.locator("svg.graph .node").count(), 3);
  await clean(anna, "case");
  await anna.picture("cases-case");
  await page.emulateMedia({ media: "print" });
  await anna.picture("cases-case-print");
  await page.emulateMedia({ media: "screen" });
  quiet(anna);
});

test("the other side sees what it owes, and answers from the case", async () => {
  const { page } = vera;
  await until("the case", async () => (await vera.party.ask("GET", "/v1/cases")).find((c) => c.number === number));
  await vera.go("/real/cases");
  assert.match(await page.textContent(".answer"), /Our side owes next in: \d/);
  await clean(vera, "cases");
  await vera.picture("cases-list");
  await Promise.all([page.waitForURL("**/real/case?**"), page.click(`a[data-row]:has-text("${number}")`)]);
  assert.match(await page.textContent(".owing"), /Our side/);
  await vera.picture("cases-case-asked");
  await Promise.all([page.waitForURL("**/compose?**form=reply**"), page.click('.steps a[href*="form=reply"]')]);
  assert.equal(await page.inputValue('[id="f.case"]'), number);
  await page.selectOption('[id="f.finding"]', "not-ours");
  await clean(vera, "reply in a case");
  await vera.picture("cases-reply");
  await Promise.all([page.waitForURL("**said=sent**").catch(async () => assert.fail(await page.textContent("main"))), page.click("#send")]);
  quiet(vera);
});

test("both close it, and it stands among the closed ones", async () => {
  const at = `/real/case?n=${encodeURIComponent(number)}`;
  await until("the answer", async () => { await anna.go(at); return anna.page.locator(".sides .theirs").count(); });
  await Promise.all([anna.page.waitForURL("**/compose?**form=closure**"), anna.page.click('.steps a[href*="form=closure"]')]);
  await anna.page.selectOption('[id="f.outcome"]', "agreed");
  await Promise.all([anna.page.waitForURL("**said=sent**").catch(async () => assert.fail(await anna.page.textContent("main"))), anna.page.click("#send")]);
  await until("the proposal", async () => { await vera.go(at); return vera.page.locator('.steps a[href*="form=closure-answer"]').count(); });
  await Promise.all([vera.page.waitForURL("**/compose?**"), vera.page.click('.steps a[href*="form=closure-answer"]')]);
  await vera.page.selectOption('[id="f.decision"]', "accepted");
  await Promise.all([vera.page.waitForURL("**said=sent**").catch(async () => assert.fail(await vera.page.textContent("main"))), vera.page.click("#send")]);
  await until("it is closed", async () => { await anna.go(at); return (await anna.page.textContent(".standing")).includes("closed"); });
  await anna.picture("cases-closed");
  await anna.go("/real/cases");
  assert.equal(await anna.page.locator(`a[data-row]:has-text("${number}")`).count(), 0);
  await anna.go("/real/cases?state=all");
  assert.equal(await anna.page.locator(`tr.gone a:has-text("${number}")`).count(), 1);
  quiet(anna, vera);
});

test("the ledger counts it alike on both sides", async () => {
  await anna.go("/real/ledger");
  const digest = async (d) => (await d.page.locator("h2:has-text('Digest') + p").textContent()).trim();
  assert.equal(await anna.page.locator("svg.ledger").count(), 2);
  assert.match(await anna.page.textContent("table.figures"), /REQUEST FOR CLARIFICATION/i);
  await clean(anna, "ledger");
  await anna.picture("cases-ledger");
  await anna.go("/real/ledger?period=month");
  assert.match(await digest(anna), /^[0-9a-f]{64}$/);
  quiet(anna);
});

test("what a tool adds waits for an officer, who approves one and refuses one", async () => {
  const { page } = anna;
  const out = await until("the collection", async () => (await anna.party.ask("GET", "/v1/gateway")).collections.find((c) => c.flow === "out" && c.plane === "real"));
  const added = await anna.party.ask("POST", `/v1/gateway/objects?collection=${out.id}`, bundle());
  assert.equal(added.refused, 0, JSON.stringify(added));
  await until("the review", async () => { await anna.go("/real/collections"); return page.locator(".review").count(); });
  const waiting = await page.locator(".review").count();
  assert.doesNotMatch(await page.textContent("main"), /198\.51\.100/);
  await clean(anna, "collections");
  await anna.picture("cases-collections");
  await Promise.all([page.waitForURL("**said=reviewed**"), page.locator('.review button[value="approve"]').first().click()]);
  await page.locator('.review input[name="reason"]').first().fill("Not ours to tell.");
  await Promise.all([page.waitForURL("**said=reviewed**"), page.locator('.review button[value="refuse"]').first().click()]);
  assert.equal(await page.locator(".review").count(), waiting - 2);
  quiet(anna);
});

test("axe-core finds nothing on the screens of cases, in English and Arabic, light and dark; nothing is cut off", async () => {
  const { page } = anna;
  const at = `case?n=${encodeURIComponent(number)}`;
  for (const language of ["en", "ar", "ru", "zh"]) {
    await anna.go("/real/watch");
    if (language !== "en") await anna.speak(language);
    for (const s of ["cases?state=all", at, "notices", "ledger", "collections", `compose?channel=nrrc&form=clarification`]) {
      const name = s.split("?")[0];
      const answer = await anna.go("/real/" + s);
      assert.equal(answer.status(), 200, s);
      if (language === "en" || language === "ar") await clean(anna, `${language} ${name}`);
      await anna.picture(`cases-${language}-${name}`);
      await page.setViewportSize({ width: 360, height: 740 });
      const wide = await page.evaluate(() => document.documentElement.scrollWidth);
      assert.ok(wide <= 360, `${language} ${name} is ${wide} pixels wide on a telephone`);
      if (language === "en" || language === "ar") await anna.picture(`cases-360-${language}-${name}`);
      await page.setViewportSize({ width: 1280, height: 900 });
    }
  }
  await anna.go("/real/watch");
  await anna.speak("en");
  await Promise.all([page.waitForNavigation(), page.selectOption("#theme", "dark")]);
  for (const s of [at, "notices", "ledger", "collections"]) {
    await anna.go("/real/" + s);
    await clean(anna, "dark " + s);
    await anna.picture(`cases-dark-${s.split("?")[0]}`);
  }
  quiet(anna);
});

test("without script a case is read and answered all the same", async () => {
  const context = await world.browser.newContext({ javaScriptEnabled: false, viewport: { width: 1280, height: 900 } });
  await context.addCookies(await anna.context.cookies());
  const page = await context.newPage();
  await page.goto(anna.party.origin + "/real/cases?state=all");
  await page.click(`a[data-row]:has-text("${number}")`);
  assert.match(await page.textContent("h1"), new RegExp(number));
  assert.equal(await page.locator(".sides li").count() >= 4, true);
  await context.close();
});
