// Consultations as officers of two parties hold them, told as a story in a browser: both propose, one is accepted, one declined; agenda, minutes, actions; a group
// that goes on while the council is suspended, and a session that only its members read.

import assert from "node:assert/strict";
import fs from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { after, before, test } from "node:test";
import { until, World } from "./world.mjs";

const axe = fs.readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

let world, anna, vera;
let series = "", group = ""; // their pages

// channel agrees on one more channel between the two.
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
  const links = [await north.enrol("anna", "Anna Berg", "en", "head-of-post", "administrator"), await south.enrol("vera", "Вера Орлова", "ru", "head-of-post")];
  const roster = (duty) => ({ text: `post = "nrrc"\ncovers = ["cert", "experts", "council", "mfa"]\nzone = "UTC"\nduty-officer = "${duty}"\ndeputy = "${duty}"\n` });
  await north.ask("PUT", "/v1/rosters/nrrc", roster("anna"));
  await south.ask("PUT", "/v1/rosters/nrrc", roster("vera"));
  anna = await world.sit(north, links[0]);
  vera = await world.sit(south, links[1]);
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

// deed unfolds a form, fills it in and sends it, and waits for what the page says was done.
async function deed(desk, name, said, fill = {}, { files, within = "main" } = {}) {
  const { page } = desk;
  const form = page.locator(`${within} form:has(button[name="do"][value="${name}"])`).first();
  const fold = form.locator("xpath=ancestor::details[1]");
  if ((await fold.count()) && !(await fold.evaluate((d) => d.open))) await fold.locator("summary").first().click();
  for (const [field, value] of Object.entries(fill)) {
    const at = form.locator(`[name="${field}"]`);
    if ((await at.evaluate((e) => e.tagName)) === "SELECT") await at.selectOption(value);
    else await at.fill(value);
  }
  if (files) await form.locator('[type="file"]').setInputFiles(files);
  await Promise.all([page.waitForURL(`**said=${said}**`).catch(async () => assert.fail(await page.textContent("main"))), form.locator(`button[name="do"][value="${name}"]`).click()]);
}

// dtg writes a time so many days from now, at an hour, as officers write it.
function dtg(days, hour) {
  const d = new Date(Date.now() + days * 86_400_000);
  const two = (n) => String(n).padStart(2, "0");
  return `${two(d.getUTCDate())}${two(hour)}00Z ${["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"][d.getUTCMonth()]} ${two(d.getUTCFullYear() % 100)}`;
}

// comes loads a page of somebody until it has something.
const comes = (what, desk, where, selector) => until(what, async () => { await desk.go(where); return desk.page.locator(selector).count(); });

// agrees stands on what the other side has tabled, and again on what comes later, until the text is agreed.
const agrees = (desk, within) => until("the text is agreed", async () => {
  await desk.go(series);
  if (await desk.page.locator(`${within} button[value="agree"]`).count()) await deed(desk, "agree", "text-agreed", {}, { within });
  return desk.page.locator(`${within} .tick`).count();
});

test("an officer opens a series, in three languages, from an empty page", async () => {
  const { page } = anna;
  await anna.go("/real/watch");
  await page.keyboard.press("g");
  await page.keyboard.press("m");
  await page.waitForURL("**/real/talks");
  await clean(anna, "no consultations");
  await anna.picture("talks-empty");
  await page.click('a[href*="form=series"] >> text=/consultations/');
  await page.waitForURL("**/talks/new**");
  for (const [lang, name] of [["en", "Consultations on ICT security"], ["ru", "Консультации по безопасности ИКТ"], ["ar", "مشاورات بشأن أمن تكنولوجيا المعلومات"]]) await page.fill(`[name="t.${lang}"]`, name);
  await clean(anna, "a new series");
  await anna.picture("talks-new");
  await deed(anna, "open", "talk-opened", { post: "mfa" }); // of the post council nothing is said by one person alone
  series = new URL(page.url()).pathname;
  assert.match(await page.textContent("h1"), /Consultations on ICT security/);
  await anna.picture("talks-opened");
  quiet(anna);
});

test("both propose, neither waits; one proposal is accepted, and both see it agreed", async () => {
  await comes("the series", vera, "/real/talks", `a[href="${series}"]`);
  await vera.go(series);
  await deed(anna, "propose", "proposed", { mode: "in-person", from: dtg(60, 9), until: dtg(61, 16), place: "Geneva", words: "Both delegations have interpreters." });
  await deed(vera, "propose", "proposed", { mode: "virtual", from: dtg(40, 9), until: dtg(40, 16) });
  await comes("both proposals", anna, series, ".proposal:nth-child(2)");
  await clean(anna, "two proposals");
  await anna.picture("talks-proposed");
  await deed(anna, "accept", "accepted");
  assert.match(await anna.page.textContent(".answer"), /agreed/);
  await comes("agreed there", vera, series, ".proposal.agreed");
  await clean(vera, "agreed");
  await vera.picture("talks-agreed-ru");
  assert.equal(await vera.page.locator('a[href*="what=invitation"]').count(), 1);
  quiet(anna, vera);
});

test("an agreement is withdrawn and the round declined, with its ground; the series stays due", async () => {
  await deed(vera, "withdraw", "round-withdrawn", {}, { within: ".proposal.agreed" });
  await deed(vera, "refuse", "round-refused", { ground: "timing", instead: "virtual", words: "Парламент заседает." });
  await comes("the refusal", anna, series, "text=/declines the round/");
  assert.match(await anna.page.textContent(".answer"), /declined/);
  await anna.page.click('#talk\\.state a[href*="offer="]'); // the lighter form, prepared and not said
  await anna.page.waitForURL("**offer=**");
  assert.equal(await anna.page.locator("#propose[open]").count(), 1);
  await anna.picture("talks-declined");
  await clean(anna, "declined");
  await deed(anna, "propose", "proposed", { from: dtg(45, 9), until: dtg(45, 16) });
  await comes("the offer", vera, series, 'button[value="accept"]');
  quiet(anna, vera);
});

test("agenda and minutes are built by both, agreed word by word, and signed", async () => {
  const words = (en, ru, ar) => ({ "t.en": en, "t.ru": ru, "t.ar": ar });
  await deed(anna, "item", "item-added", { what: "agenda", ...words("Points of contact", "Пункты связи", "جهات الاتصال") });
  await agrees(vera, '.round-text:has-text("Пункты связи")');
  await comes("the agenda is agreed", anna, series, '.round-text .tick');
  await deed(anna, "held", "round-held", { mode: "virtual", from: dtg(-2, 9), until: dtg(-2, 16), place: "" });
  await deed(anna, "item", "item-added", { what: "minutes", ...words("Both sides compared their lists.", "Стороны сравнили перечни.", "قارن الجانبان قائمتيهما.") });
  await agrees(vera, '.round-text:has-text("сравнили")');
  await comes("the minutes are agreed", vera, series, 'button[value="sign"]');
  await deed(vera, "sign", "minutes-signed");
  await comes("the minutes can be signed", anna, series, 'button[value="sign"]');
  await anna.picture("talks-minutes");
  await deed(anna, "sign", "minutes-signed");
  assert.match(await anna.page.textContent(".round"), /minutes signed by all|agenda/i);
  await clean(anna, "signed");
  quiet(anna, vera);
});

test("an action is agreed, and done by its owner", async () => {
  await deed(anna, "action", "action-agreed", { owner: "xs/cert", due: dtg(20, 12), "t.en": "Exchange the list of sectors.", "t.ru": "Обменяться перечнем отраслей.", "t.ar": "تبادل قائمة القطاعات." });
  await deed(anna, "action", "action-agreed", { owner: "xn", due: dtg(10, 12), "t.en": "Translate the minutes.", "t.ru": "Перевести протокол.", "t.ar": "ترجمة المحضر." });
  await comes("the actions", vera, series, 'select[name="about"] option:has-text("Перевести")');
  assert.equal(await vera.page.locator('select[name="about"] option:has-text("отраслей")').count(), 1);
  await vera.picture("talks-actions-ru");
  await deed(vera, "status", "action-said", { about: { label: await vera.page.locator('select[name="about"] option:has-text("отраслей")').textContent() }, state: "done", words: "Передано." });
  assert.equal(await vera.page.locator("#actions tr.gone").count(), 1);
  quiet(vera);
});

test("a group of experts works on a protected channel", async () => {
  const { page } = anna;
  await anna.go("/real/talks");
  assert.equal(await page.locator('a[href*="form=group"]').count(), 1, "only a protected channel offers to open a group");
  await page.click('a[href*="form=group"]');
  await page.waitForURL("**/talks/new**");
  for (const [lang, name] of [["en", "Experts on industrial control"], ["ru", "Эксперты по промышленным системам"]]) await page.fill(`[name="t.${lang}"]`, name);
  await deed(anna, "open", "talk-opened", { members: "xn/cert, xs/cert", rapporteur: "xn/cert", rule: "open", post: "cert" });
  group = new URL(page.url()).pathname;
  await deed(anna, "contribute", "contributed", { words: "We see the same pattern." });
  await comes("the group", vera, "/real/talks", `a[href="${group}"]`);
  await comes("the thread", vera, group, '.quoted:has-text("same pattern")');
  await clean(anna, "a group");
  await anna.picture("talks-group");
  quiet(anna, vera);
});

test("a report is written by both, and adopted with a dissent", async () => {
  const words = (en, ru) => ({ "t.en": en, "t.ru": ru });
  await anna.go(group);
  await deed(anna, "item", "item-added", words("The group recommends a common list of sectors.", "Группа рекомендует общий перечень отраслей."));
  await until("the report, and its order", async () => { await vera.go(group); return /0\/2/.test(await vera.page.textContent("section:has(#reports-h)")); });
  await deed(vera, "agree", "text-agreed");
  await deed(vera, "adopt", "report-spoken", { how: "dissent", words: "Кроме пункта 3." });
  const report = async (desk) => { await desk.go(group); return desk.page.textContent("section:has(#reports-h)"); };
  await until("their dissent", async () => /2\/2[\s\S]*Кроме пункта 3/.test(await report(anna)));
  await deed(anna, "adopt", "report-spoken", { how: "consensus" });
  assert.match(await report(anna), /adopted, with a dissent[\s\S]*Кроме пункта 3/);
  await until("adopted there too", async () => /принят с особым мнением[\s\S]*Кроме пункта 3/.test(await report(vera)));
  await anna.picture("talks-report");
  quiet(anna, vera);
});

test("what is said in a session is for its members: another officer of the same party sees what was agreed on, and nothing else", async () => {
  const { page } = anna;
  await anna.go(group);
  await deed(anna, "session", "session-opened", { name: "2027-1", from: dtg(0, 0), until: dtg(2, 17), keep: "72h" });
  await deed(anna, "say", "session-said", { words: "Our operators patch once a year." });
  assert.match(await page.textContent("#said"), /Our operators patch once a year/);
  await clean(anna, "a session");
  await anna.picture("talks-session");
  await page.emulateMedia({ media: "print" });
  assert.equal(await page.locator(".spoken").isVisible(), false, "what was said is printed");
  await page.emulateMedia({ media: "screen" });
  const [file] = await Promise.all([page.waitForEvent("download"), page.click('a[href*="what=session"]')]);
  const sealed = path.join(world.dir, "to-xs.session");
  await file.saveAs(sealed);
  await comes("the session", vera, group, "#said");
  assert.doesNotMatch(await vera.page.textContent("main"), /patch once a year/);
  await deed(vera, "take", "session-taken", {}, { files: sealed });
  assert.match(await vera.page.textContent("#said"), /Our operators patch once a year/);
  await deed(anna, "output", "output-stated", { "t.en": "The members will compare lists of sectors.", "t.ru": "Участники сравнят перечни отраслей." });
  await world.north.ask("PUT", "/v1/officers/olga", { id: "olga", name: "Olga Lind", language: "en", grants: [{ post: "mfa", role: "head-of-post" }] });
  const { link } = await world.north.ask("POST", "/v1/officers/olga/invitation");
  const olga = await world.sit(world.north, link);
  await olga.go(group);
  const seen = await olga.page.textContent("main");
  assert.match(seen, /shown to the members of the session only/);
  assert.match(seen, /The members will compare lists of sectors/);
  assert.doesNotMatch(seen, /patch once a year/);
  await olga.picture("talks-session-not-a-member");
  await olga.context.close();
  quiet(anna, vera);
});

test("the council's channel is suspended: the watch and the list say what stands still and what goes on", async () => {
  const suspend = (state, ground) => world.north.ask("POST", "/v1/channel-statuses", { channel: "consultations", post: "mfa", state, text: { ground, functions: "all", text: "Until a matter of protocol is settled." }, releaser: "head-of-post" });
  await suspend("suspended", "political");
  for (const [desk, words] of [[anna, /Goes on all the same:[\s\S]*Experts on industrial control/], [vera, /Продолжается, несмотря на это:[\s\S]*Эксперты по промышленным системам/]]) {
    await comes("the watch says so", desk, "/real/watch", ".going");
    assert.match(await desk.page.textContent(".going"), words);
    await clean(desk, "the watch");
    await desk.picture("talks-watch-" + (desk === anna ? "en" : "ru"));
    await desk.go("/real/talks");
    assert.match(await desk.page.textContent(".going"), words);
    await clean(desk, "the list");
  }
  await anna.picture("talks-suspended");
  await anna.go(group);
  await deed(anna, "contribute", "contributed", { words: "We go on." });
  await suspend("open", "resumed");
  await until("nothing is suspended", async () => { await anna.go("/real/talks"); return !(await anna.page.locator(".going").count()); });
  quiet(anna, vera);
});

test("the month has the rounds; axe-core finds nothing in English and Arabic, light and dark; nothing is cut off on a telephone", async () => {
  const { page } = anna;
  const at = new Date(Date.now() + 45 * 86_400_000).toISOString().slice(0, 7);
  await anna.go("/real/talks/month?m=" + at);
  assert.equal(await page.locator('thead th[scope="col"]').count(), 7);
  for (const language of ["en", "ar", "ru", "zh"]) {
    await anna.go("/real/watch");
    if (language !== "en") await anna.speak(language);
    const all = language === "en" || language === "ar";
    for (const s of all ? ["/real/talks", series, group, "/real/talks/month?m=" + at] : [series, group]) {
      const name = { [series]: "series", [group]: "group" }[s] ?? s.split("/").slice(2).join("-").replaceAll(/[?=]/g, "-");
      const answer = await anna.go(s);
      assert.equal(answer.status(), 200, s);
      if (language === "ar") assert.equal(await page.evaluate(() => getComputedStyle(document.querySelector("main")).direction), "rtl");
      if (all) await clean(anna, `${language} ${name}`);
      await anna.picture(`talks-${language}-${name}`);
      await page.setViewportSize({ width: 360, height: 740 });
      const wide = await page.evaluate(() => document.documentElement.scrollWidth);
      assert.ok(wide <= 360, `${language} ${name} is ${wide} pixels wide on a telephone`);
      await anna.picture(`talks-360-${language}-${name}`);
      await page.setViewportSize({ width: 1280, height: 900 });
    }
  }
  await anna.go("/real/watch");
  await anna.speak("en");
  await Promise.all([page.waitForNavigation(), page.selectOption("#theme", "dark")]);
  for (const s of ["/real/talks", series, group, "/real/talks/month"]) {
    await anna.go(s);
    await clean(anna, "dark " + s);
  }
  quiet(anna);
});

test("without script a time is proposed, accepted and declined all the same, and the calendar is saved", async () => {
  const still = async (desk) => {
    const context = await world.browser.newContext({ javaScriptEnabled: false, viewport: { width: 1280, height: 900 }, acceptDownloads: true });
    await context.addCookies(await desk.context.cookies());
    const page = await context.newPage();
    page.setDefaultTimeout(10_000);
    return page;
  };
  const north = await still(anna), south = await still(vera);
  await north.goto(anna.party.origin + series);
  await north.click("#propose summary");
  await north.fill('#propose [name="from"]', dtg(50, 9));
  await north.fill('#propose [name="until"]', "never");
  await north.fill('#propose [name="words"]', "Words that took an hour.");
  await north.click('#propose button[value="propose"]');
  assert.match(await north.textContent("main"), /Words that took an hour/, "what was written is lost");
  assert.equal(await north.locator(".refusal").count(), 1);
  await north.fill('#propose [name="until"]', dtg(50, 16));
  await north.click('#propose button[value="propose"]');
  assert.match(north.url(), /said=proposed/);
  await until("it comes", async () => { await south.goto(vera.party.origin + series); return south.locator('button[value="accept"]').count(); });
  await south.click('button[value="accept"]');
  assert.match(south.url(), /said=accepted/);
  const decline = south.locator('details:has(button[value="refuse"])');
  await decline.locator("summary").click();
  await decline.locator('[name="ground"]').selectOption("venue");
  await decline.locator('button[value="refuse"]').click();
  assert.match(south.url(), /said=round-refused/);
  await north.goto(anna.party.origin + "/real/talks");
  const [file] = await Promise.all([north.waitForEvent("download"), north.click('a[href$="/talks.ics"]')]);
  const text = fs.readFileSync(await file.path(), "utf8");
  assert.match(text, /^BEGIN:VCALENDAR\r\n[\s\S]*Consultations on ICT security[\s\S]*END:VCALENDAR\r\n$/);
  assert.doesNotMatch(text, /2027-1/, "a session stands in the calendar");
  for (const p of [north, south]) await p.context().close();
});
