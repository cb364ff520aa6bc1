// The programme as officers of two parties read it, told as a story in a browser: one page for both, the same at both ends; any date, without a script; on paper.

import assert from "node:assert/strict";
import fs from "node:fs";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";
import { until, World } from "./world.mjs";

const axe = fs.readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const board = "/real/programme/xn..xs";

let world, anna, vera;

async function channel(name, more) {
  const { north, south } = world;
  await north.ask("POST", "/v1/channels", { name, members: ["xs"], regime: "dialogue/1", ...more });
  await until("the proposal", async () => (await south.ask("GET", "/v1/channels")).find((c) => c.name === name));
  await south.ask("POST", `/v1/channels/${name}/accept`, {});
  await until("the channel", async () => (await north.ask("GET", "/v1/channels")).find((c) => c.name === name && c.established));
}

before(async () => {
  world = await World.open();
  await channel("consultations");
  await channel("experts", { protected: true });
  const { north, south } = world;
  const links = [await north.enrol("anna", "Anna Berg", "en", "head-of-post"), await south.enrol("vera", "Вера Орлова", "ru", "head-of-post")];
  anna = await world.sit(north, links[0]);
  vera = await world.sit(south, links[1]);
}, { timeout: 120_000 });

after(() => world?.close());

async function clean(desk, where) {
  const found = await desk.page.evaluate(`${axe}; axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] })`);
  assert.deepEqual(found.violations.map((v) => `${where}: ${v.id}: ${v.help}: ${v.nodes.map((n) => n.html.slice(0, 200)).join(" | ")}`), []);
}

// stands is how the six measures stand on the page that is shown, by their marks.
const stands = (page) => page.$$eval(".measure .stood", (all) => all.map((m) => m.className.replace(/.*stood-/, "")).join(" "));

test("an officer finds the relation by the keyboard; nothing is said of what was not stated", async () => {
  const { page } = anna;
  await anna.go("/real/watch");
  await page.keyboard.press("g");
  await page.keyboard.press("p");
  await page.waitForURL("**/real/programme");
  await clean(anna, "the relations");
  await anna.picture("programme-relations");
  await page.click(`a[href="${board}"]`);
  await page.waitForURL("**" + board);
  assert.equal(await page.locator(".measure").count(), 6);
  assert.equal(await stands(page), "none waiting none none none none");
  await clean(anna, "an empty board");
});

test("a series, a group, and a channel that is suspended: the board says what goes on, and is the same at both ends", async () => {
  const { north, south } = world;
  const text = (form, of) => ({ form, text: of });
  await north.ask("POST", "/v1/dialogues", { channel: "consultations", post: "mfa", words: text("series", { level: "high-level", every: "4380h", hosts: "xn,xs", languages: "en ru", "name.en": "Consultations on ICT security", "name.ru": "Консультации по безопасности ИКТ" }) });
  const group = await north.ask("POST", "/v1/dialogues", { channel: "experts", post: "cert", words: text("group", { members: "xn/cert,xs/cert", rapporteur: "xn/cert", rule: "open", "name.en": "Experts on industrial control", "name.ru": "Эксперты по промышленным системам" }) });
  await north.ask("POST", `/v1/dialogues/${group.id}/statements`, { post: "cert", words: text("contribution", { words: "We see the same pattern." }) });
  await north.ask("POST", "/v1/statements", { channel: "consultations", post: "mfa", precedence: "R", ...text("status", { state: "suspended", functions: "all", ground: "political" }), releaser: "head-of-post" });
  const want = "suspended suspended none none alive none";
  for (const [desk, goes] of [[anna, /goes on, though channel consultations is suspended by xn/], [vera, /продолжает работу, хотя канал .*consultations.* приостановлен/]]) {
    await until("the board", async () => { await desk.go(board); return (await stands(desk.page)) === want; });
    assert.match((await desk.page.textContent("main")).replace(/[\u2066-\u2069]/g, ""), goes);
    await clean(desk, "the board");
  }
  await anna.picture("programme-board");
  await vera.picture("programme-board-ru");
  const { page } = anna;
  const numbers = (p) => p.$$eval(".holds .by .code", (all) => all.map((a) => a.textContent));
  assert.deepEqual(await numbers(page), await numbers(vera.page), "the evidence at both ends");
  assert.equal(await page.locator(".measure svg, .strip rect").count() > 6, true, "the year as a line");
  await page.click('.measure:nth-child(5) .holds a[href*="/talks/"]');
  await page.waitForURL("**/talks/**");
  await anna.go(board);
  await page.click(".measure:nth-child(5) .holds a.by");
  await page.waitForURL("**/statement/**");
});

test("the slider goes to another date without a script, and what was stated later is not on the page", async () => {
  const context = await world.browser.newContext({ storageState: await anna.context.storageState(), javaScriptEnabled: false, locale: "en", timezoneId: "UTC", viewport: { width: 1280, height: 900 } });
  const page = await context.newPage();
  await page.goto(anna.party.origin + board);
  assert.equal(await stands(page), "suspended suspended none none alive none");
  await page.focus("#back");
  for (let i = 0; i < 3; i++) await page.keyboard.press("PageUp");
  await page.click("#back ~ button");
  await page.waitForURL("**back=**");
  assert.equal(await stands(page), "none none none none none none");
  const day = await page.inputValue("#on");
  await page.click("a[rel=next]");
  await page.waitForURL("**on=**");
  assert.ok((await page.inputValue("#on")) > day);
  await page.fill("#on", new Date().toISOString().slice(0, 10));
  await page.click("#on ~ button");
  await page.waitForURL("**on=**");
  assert.equal(await stands(page), "suspended suspended none none alive none");
  await context.close();
});

test("as it may be shown to others, in Arabic, and on paper", async () => {
  const { page } = anna;
  await anna.go(board);
  await page.click('a[href*="public=1"]');
  await page.waitForURL("**public=1**");
  assert.doesNotMatch(await page.textContent("main"), /contributions/, "what was said in the group is for its members");
  await clean(anna, "for others");
  await anna.speak("ar");
  await anna.go(board);
  assert.equal(await page.getAttribute("html", "dir"), "rtl");
  await clean(anna, "in Arabic");
  await anna.picture("programme-board-ar");
  await page.emulateMedia({ media: "print" });
  for (const hidden of ["form", ".nav", ".deed"]) assert.equal(await page.locator(`main ${hidden}:visible`).count(), 0, `${hidden} on paper`);
  assert.equal(await page.locator(".measure:visible").count(), 6);
  await anna.picture("programme-paper");
  await page.emulateMedia({ media: "screen" });
  await page.setViewportSize({ width: 390, height: 844 });
  await anna.go(board);
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), "a small screen");
  await anna.picture("programme-small");
  assert.deepEqual([...anna.faults, ...vera.faults], [], "what the browser's console says");
});
