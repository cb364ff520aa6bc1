// An agreement as officers of two parties negotiate it, told as a story in a browser: opened, tabled, other words, accepted, agreed in two languages.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { after, before, test } from "node:test";
import { until, World } from "./world.mjs";

const axe = fs.readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

let world, anna, vera;
let at = ""; // the page of the negotiation

before(async () => {
  world = await World.open({ regime: "instruments/1" });
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

// press presses a button or follows a link, and waits for what the page says was done.
async function press(desk, what, said) {
  await Promise.all([desk.page.waitForURL(`**said=${said}**`).catch(async () => assert.fail(await desk.page.textContent("main"))), desk.page.click(what)]);
}

async function table(desk, texts, { kind, note } = {}) {
  if (kind) await desk.page.selectOption('[name="kind"]', kind);
  for (const [lang, text] of Object.entries(texts)) await desk.page.fill(`[id="t.${lang}"]`, text);
  if (note) await desk.page.fill("#note", note);
}

test("an officer opens a negotiation in two languages", async () => {
  const { page } = anna;
  await anna.go("/real/watch");
  await page.keyboard.press("g");
  await page.keyboard.press("i");
  await page.waitForURL("**/real/instruments");
  await clean(anna, "instruments, empty");
  await anna.picture("instruments-empty");
  await Promise.all([page.waitForURL("**/instruments/new"), page.click('a[href$="/instruments/new"]')]);
  for (const [lang, title] of [["en", "Agreement on the prevention of incidents"], ["ru", "Соглашение о предотвращении инцидентов"]]) {
    await page.check(`input[name="language"][value="${lang}"]`);
    await page.fill(`[name="t.${lang}"]`, title);
  }
  await page.selectOption('[name="nature"]', "political");
  await clean(anna, "a new negotiation");
  await anna.picture("instruments-new");
  await press(anna, 'button[value="open"]', "opened");
  at = new URL(page.url()).search.match(/n=[0-9a-f]+/)[0];
  assert.match(await page.textContent("h1"), /Agreement on the prevention/);
  await anna.picture("instruments-opened");
  quiet(anna);
});

test("provisions are tabled, and something is kept to oneself", async () => {
  const { page } = anna;
  await page.click('a[href*="/instrument/provision"] >> text="Add a provision"');
  await table(anna, { en: "Notification", ru: "Уведомление" }, { kind: "article" });
  await clean(anna, "a new provision");
  await press(anna, 'button[value="table"]', "tabled");
  await page.click('a[href*="/instrument/provision"] >> text="Add a provision"');
  await table(anna, { en: "Each Party shall notify the other Party without delay of significant incidents.", ru: "Каждая Сторона без промедления уведомляет другую Сторону о существенных инцидентах." }, { kind: "paragraph", note: "As in the model." });
  await press(anna, 'button[value="table"]', "tabled");
  assert.equal(await page.locator(".clause.open").count() >= 2, true);
  await page.click(".panel summary:has-text('Keep something')");
  await page.locator('.private textarea[name="words"]').last().fill("Not more than 24 hours, under any circumstances.");
  await press(anna, 'button[value="note"]', "kept-here");
  assert.match(await page.textContent(".private"), /never sent[\s\S]*Not more than 24 hours/);
  await clean(anna, "the text as tabled");
  quiet(anna);
});

test("the other side writes other words, and sees what differs while it writes", async () => {
  const { page } = vera;
  await until("the provisions", async () => { await vera.go("/real/instrument?" + at); return (await page.locator(".clause").count()) >= 3; });
  assert.doesNotMatch(await page.textContent("main"), /under any circumstances/);
  await vera.go("/real/instruments");
  assert.match(await page.textContent(".answer"), /Ждут нашей стороны: [1-9]/);
  await clean(vera, "instruments");
  await vera.picture("instruments-list-ru");
  await vera.go("/real/instrument?" + at);
  await page.locator(".clause:has-text('уведомляет') h3 a").click();
  await page.waitForURL("**/instrument/provision**");
  await table(vera, { en: "Each Party shall notify the other Party within 24 hours of incidents.", ru: "Каждая Сторона в течение 24 часов уведомляет другую Сторону об инцидентах." }, { note: "24 часа выполнимы." });
  await until("the difference", async () => (await page.locator("#preview ins").count()) >= 2 && (await page.locator("#preview del").count()) >= 2);
  assert.match(await page.textContent('#preview [lang="en"] ins'), /24/);
  await clean(vera, "the editor");
  await vera.picture("instruments-editor-ru");
  await press(vera, 'button[value="table"]', "tabled");
  quiet(vera);
});

test("brackets stand in their place; the rest is accepted at once", async () => {
  const { page } = vera;
  await vera.go("/real/instrument?" + at);
  const accept = page.locator('summary:has-text("Принять всё, в чём")');
  await accept.click();
  await press(vera, 'button[value="accept-all"]', "accepted");
  await until("their words, and what they accepted", async () => { await anna.go("/real/instrument?" + at); return (await anna.page.locator(".clause:has(.bracket)").count()) === 1; });
  const text = await anna.page.locator('.clause:has(.bracket) .words[lang="en"]').textContent();
  assert.match(text, /Each Party shall notify the other Party .*\[XN: without delay.*\[XS: within 24 hours/s);
  await anna.picture("instruments-brackets");
  await clean(anna, "brackets");
  for (const language of ["ar", "zh"]) {
    await anna.speak(language);
    await clean(anna, `brackets, ${language}`);
    await anna.picture(`instruments-brackets-${language}`);
  }
  await anna.speak("en");
  quiet(anna, vera);
});

test("one action accepts, and the text is agreed on both sides", async () => {
  const { page } = anna;
  await anna.go("/real/instrument?" + at);
  await press(anna, '.clause:has(.bracket) button[value="accept"]', "accepted");
  await until("everything is agreed at home", async () => { await anna.go("/real/instrument?" + at); return (await page.locator(".clause.open").count()) === 0; });
  await until("everything is agreed there", async () => { await vera.go("/real/instrument?" + at); return (await vera.page.locator(".clause.open").count()) === 0; });
  assert.match(await page.textContent(".answer"), /No provision is open/);
  await anna.picture("instruments-agreed");
  await vera.picture("instruments-agreed-ru");
  assert.equal(await page.locator('.rungs [aria-current="step"]').textContent().then((t) => /Text agreed|Languages/.test(t)), true);
  quiet(anna, vera);
});

// rise takes a step on the ladder, as an officer does: unfolds it, fills in what it asks for, presses the button.
async function rise(desk, step, fill = {}) {
  await until(step, async () => { await desk.go("/real/instrument?" + at); return desk.page.locator(`input[name="step"][value="${step}"]`).count(); });
  const form = desk.page.locator(`details:has(input[name="step"][value="${step}"])`);
  await form.locator("summary").click();
  for (const [name, value] of Object.entries(fill)) await form.locator(`[name="${name}"]`).fill(value);
  await Promise.all([desk.page.waitForURL("**said=stepped**").catch(async () => assert.fail(await desk.page.textContent("main"))), form.locator('button[value="step"]').click()]);
}

test("a proof of a protected asset is verified on its page, which states nothing", async () => {
  const { page } = anna;
  const [list, secret, proof] = ["assets.txt", "1.detente-assets", "votes.detente-asset"].map((name) => path.join(world.dir, name));
  fs.writeFileSync(list, "votes.example\n192.0.2.0/28\n");
  const node = ["--home", world.north.home, "--key-file", world.north.key, "asset"];
  execFileSync(world.program, [...node, "commit", list, "--secret", secret, "--notice", "0s", "--effective", "2126-01-01", "--post", "mfa"]);
  execFileSync(world.program, [...node, "prove", secret, "votes.example", "-o", proof]);
  await anna.go("/real/assets");
  await page.setInputFiles('input[name="file"]', proof);
  await page.fill('[name="hit"]', "hxxps://booth-7[.]votes[.]example/");
  await page.fill('[name="on"]', "2126-02-03");
  await Promise.all([page.waitForNavigation(), page.click("main form[enctype] button")]);
  const said = await page.textContent('section[role="status"]');
  for (const words of ["On the list.", "In force at that time:", "The entry covers"]) assert.ok(said.includes(words), said);
  await clean(anna, "a proof");
  await anna.picture("instruments-assets-proof");
  await anna.go("/real/instrument?" + at);
});

test("axe-core finds nothing in English and Arabic, light and dark; nothing is cut off on a telephone", async () => {
  const { page } = anna;
  const provision = await page.locator(".clause h3 a").last().getAttribute("href");
  for (const language of ["en", "ar", "ru", "zh"]) {
    await anna.go("/real/watch");
    if (language !== "en") await anna.speak(language);
    for (const s of ["/real/instruments", "/real/instrument?" + at, provision, "/real/instruments/new", "/real/pledges", "/real/assets", "/real/notices"]) {
      const name = s.split("?")[0].split("/").slice(2).join("-");
      const answer = await anna.go(s);
      assert.equal(answer.status(), 200, s);
      if (language === "en" || language === "ar") await clean(anna, `${language} ${name}`);
      await anna.picture(`instruments-${language}-${name}`);
      await page.setViewportSize({ width: 360, height: 740 });
      const wide = await page.evaluate(() => document.documentElement.scrollWidth);
      assert.ok(wide <= 360, `${language} ${name} is ${wide} pixels wide on a telephone`);
      await anna.picture(`instruments-360-${language}-${name}`);
      await page.setViewportSize({ width: 1280, height: 900 });
    }
  }
  await anna.go("/real/watch");
  await anna.speak("en");
  await Promise.all([page.waitForNavigation(), page.selectOption("#theme", "dark")]);
  for (const s of ["/real/instruments", "/real/instrument?" + at, provision]) {
    await anna.go(s);
    await clean(anna, "dark " + s);
  }
  await page.emulateMedia({ forcedColors: "active" });
  await anna.go("/real/instrument?" + at);
  await anna.picture("instruments-forced-colours");
  await page.emulateMedia({ forcedColors: "none" });
  quiet(anna);
});

test("without script words are compared and tabled all the same, and agreement that is undone shows", async () => {
  const context = await world.browser.newContext({ javaScriptEnabled: false, viewport: { width: 1280, height: 900 } });
  await context.addCookies(await anna.context.cookies());
  const page = await context.newPage();
  await page.goto(anna.party.origin + "/real/instrument?" + at);
  await page.locator(".clause h3 a").last().click();
  await page.fill('[id="t.en"]', "Each Party shall notify the other Party within 12 hours of incidents.");
  await page.click('button[value="look"]');
  assert.match(await page.textContent("#preview ins"), /12/);
  await page.click('button[value="table"]');
  assert.match(page.url(), /said=tabled/);
  await context.close();
  await until("it is open again there", async () => { await vera.go("/real/instrument?" + at); return vera.page.locator(".clause.open").count(); });
  assert.match(await vera.page.textContent(".clause.open"), /вновь открыто: 1/);
});

test("both sides climb the ladder: compared, initialled, signed, in force", async () => {
  await until("the other words", async () => { await vera.go("/real/instrument?" + at); return vera.page.locator('.clause.open button[value="accept"]').count(); });
  await press(vera, '.clause.open button[value="accept"]', "accepted");
  await until("agreed at home", async () => { await anna.go("/real/instrument?" + at); return (await anna.page.locator(".clause.open").count()) === 0; });
  await rise(anna, "certify", { officer: "Legal adviser" });
  await rise(vera, "certify", { officer: "Legal adviser" });
  await anna.go("/real/instrument?" + at);
  const terms = anna.page.locator('details:has(button[value="manifest"])');
  await terms.locator("summary").click();
  await terms.locator('[name="duration"]').fill("P3Y");
  await Promise.all([anna.page.waitForURL("**said=manifested**").catch(async () => assert.fail(await anna.page.textContent("main"))), terms.locator('button[value="manifest"]').click()]);
  await anna.picture("instruments-terms");
  await rise(anna, "initial");
  assert.equal(await anna.page.locator(".stale").isVisible(), false);
  await rise(vera, "initial");
  await anna.page.locator(".standing:has-text('authentic')").first().waitFor(); // its state says so by itself, the text as it was loaded
  await clean(anna, "a page behind the times");
  await anna.picture("instruments-stale");
  await press(anna, ".stale a", "stepped");
  assert.equal(await anna.page.locator(".stale").isVisible(), false);
  assert.equal(await anna.page.locator('a:has-text("Add a provision")').count(), 0);
  for (const desk of [anna, vera]) await rise(desk, "sign");
  for (const desk of [anna, vera]) await until("in force", async () => { await desk.go("/real/instrument?" + at); return (await desk.page.locator(".rungs li.reached").count()) === 7; });
  await clean(anna, "in force");
  await anna.picture("instruments-in-force");
  await vera.picture("instruments-in-force-ru");
  quiet(anna, vera);
});

test("in force: an error is corrected, a provision suspended and resumed, a notice given and taken back", async () => {
  await rise(vera, "correct", { "t.en": "Each Party shall notify the other Party within 12 hours of any incident.", words: "Слово «любом» выпало." });
  await until("their correction", async () => { await anna.go("/real/instrument?" + at); return anna.page.locator('select[name="step"]').count(); });
  const answer = anna.page.locator('details:has(select[name="step"])');
  await answer.locator("summary").click();
  await answer.locator('select[name="step"]').selectOption("accept-correction");
  await clean(anna, "a correction is answered");
  await anna.picture("instruments-correction");
  await press(anna, 'details:has(select[name="step"]) button[value="step"]', "stepped");
  assert.equal(await anna.page.locator('select[name="step"]').count(), 0, "an answer that was given is asked for again");
  assert.equal(await anna.page.locator(".owing li").count(), 1, "a correction that all have accepted still waits for objections"); // the term alone

  const suspend = anna.page.locator('details:has(input[value="suspend"])');
  await suspend.locator("summary").click();
  await suspend.locator('input[name="in"]').last().check();
  await suspend.locator('[name="words"]').fill("No officer is on duty.");
  await suspend.locator('[name="moment"]').fill("tomorrow");
  await suspend.locator('button[value="step"]').click();
  await anna.page.locator(".refusal").waitFor();
  assert.equal(await anna.page.locator('details:has(input[value="suspend"]) [name="words"]').inputValue(), "No officer is on duty.", "what was written is lost");
  await anna.page.fill('details:has(input[value="suspend"]) [name="moment"]', "");
  await press(anna, 'details:has(input[value="suspend"]) button[value="step"]', "stepped");
  await until("it is suspended there", async () => { await vera.go("/real/instrument?" + at); return vera.page.locator("text=/Приостановлено:/").count(); });
  assert.equal(await vera.page.locator('input[value="resume"]').count(), 0, "what the other side has suspended is its own to resume");
  await rise(anna, "resume", { words: "An officer is on duty." });
  assert.equal(await anna.page.locator('input[value="resume"]').count(), 0);

  await rise(anna, "terminate", { words: "A new one is made.", moment: `010000Z JAN ${new Date().getUTCFullYear() + 2}` }); // within its three years
  await anna.picture("instruments-notice");
  await rise(anna, "revoke-notice");
  assert.equal(await anna.page.locator('input[value="revoke-notice"]').count(), 0);
  await clean(anna, "in force, after all");
  await vera.go("/real/instrument?" + at);
  for (const s of ["correct", "suspend", "extend", "terminate"]) await vera.page.locator(`details:has(input[value="${s}"]) summary`).click();
  await clean(vera, "what may be done");
  await vera.picture("instruments-after-ru");
  anna.faults = anna.faults.filter((f) => !f.includes("422")); // the time that could not be read
  quiet(anna, vera);
});
