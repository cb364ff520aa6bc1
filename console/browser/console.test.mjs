// The console as its officers use it, told as a story in a browser. Where DETENTE_SCREENSHOTS names a directory, pictures are kept there.

import assert from "node:assert/strict";
import fs from "node:fs";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";
import { until, World } from "./world.mjs";

const axe = fs.readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const screens = ["watch", "traffic", "compose", "releases", "links", "directory", "checks", "roster", "log", "officers", "system", "help", "loss", "passkey"];

let world, anna, boris, vera;

before(async () => {
  world = await World.open();
  const { north, south } = world;
  const roster = (duty, deputy) => ({ text: `post = "nrrc"\ncovers = ["cert", "experts", "council", "mfa"]\nzone = "UTC"\nduty-officer = "${duty}"\ndeputy = "${deputy}"\n` });
  const links = [await north.enrol("anna", "Anna Berg", "en", "duty-officer"), await north.enrol("boris", "Boris Holm", "en", "head-of-post", "administrator"),
    await south.enrol("vera", "Вера Орлова", "en", "duty-officer"), await south.enrol("zoya", "Зоя", "en", "deputy")];
  await north.ask("PUT", "/v1/rosters/nrrc", roster("anna", "boris"));
  await south.ask("PUT", "/v1/rosters/nrrc", roster("vera", "zoya"));
  anna = await world.sit(north, links[0]);
  boris = await world.sit(north, links[1]);
  vera = await world.sit(south, links[2]);
}, { timeout: 120_000 });

after(() => world?.close());

// clean says that nothing went wrong in the browser, and that axe-core finds nothing.
async function clean(desk, where) {
  const found = await desk.page.evaluate(`${axe}; axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] })`);
  const faults = found.violations.map((v) => `${where}: ${v.id}: ${v.help}: ${v.nodes.map((n) => n.html.slice(0, 200)).join(" | ")}`);
  assert.deepEqual(faults, []);
}

function quiet(...desks) {
  for (const d of desks) {
    assert.deepEqual(d.faults, [], "what the browser's console says");
  }
}

test("signing in again with the passkey alone", async () => {
  const { page } = anna;
  await page.click("details.menu summary");
  await Promise.all([page.waitForURL("**/sign-in"), page.click("text=Sign out")]);
  await clean(anna, "sign-in");
  await anna.picture("sign-in");
  await Promise.all([page.waitForURL("**/real/watch"), page.click("#sign-in button")]);
  assert.match(await page.textContent(".menu"), /Anna Berg/);
  quiet(anna);
});

test("an inquiry is composed, with what they will read beside it", async () => {
  const { page } = anna;
  await page.keyboard.press("n");
  await page.waitForURL("**/real/compose");
  await anna.picture("compose-choose");
  await page.click('section:has(h2:has-text("nrrc")) a:text-is("INQUIRY")');
  await page.selectOption('select[name="to"]', "xs");
  await page.selectOption("#precedence", "Z");
  await page.fill('[id="f.observation"]', "Commands were sent to machines of a power utility, through your territory.");
  await page.fill('[name="f.observed"]', "230600Z NOV 26");
  await page.fill('[name="f.observed.until"]', "230630z nov 26");
  await page.check('input[name="f.asked"][value="stop"]');
  await until("the preview in the reader's language", async () => /ЗАПРОС/.test(await page.textContent("#preview")));
  assert.match(await page.textContent("#preview"), /A second officer must release it/);
  assert.match(await page.textContent("#preview"), /12 words of at most 200/);
  await clean(anna, "compose");
  await anna.picture("compose");
  await Promise.all([page.waitForURL("**/real/releases?**"), page.click("#send")]);
  assert.match(await page.textContent(".said"), /waits for a second officer/);
  quiet(anna);
});

test("a second person releases it with his passkey", async () => {
  const { page } = boris;
  await boris.go("/real/releases");
  assert.equal(await anna.page.locator("[data-approve]").count(), 0, "who has drafted cannot approve");
  await clean(boris, "releases");
  await boris.picture("release");
  await Promise.all([page.waitForURL("**/real/statement/**"), page.click("[data-approve]")]);
  assert.match(await page.textContent(".said"), /Released and sent/);
  await until("it is held there", async () => { await page.reload(); return (await page.textContent('[id="statement.state"]')).includes("xs"); });
  await clean(boris, "statement");
  await boris.picture("statement");
  quiet(boris);
});

test("the FLASH stands on top of the other watch at once, and sounds", async () => {
  const { page } = vera;
  await until("the alarm", () => page.locator(".item.untaken.prec-Z").count());
  assert.match(await page.title(), /^\(\d+\) /);
  assert.equal(await page.getAttribute(".nav ul", "data-sound"), "flash");
  assert.match(await page.textContent(".item.untaken .clock"), /^00:\d\d:\d\d$/);
  await page.click("#sound");
  await until("the sound is proved", async () => (await page.evaluate(() => document.documentElement.dataset.sound)) !== undefined);
  assert.match(await page.textContent("#sound-state"), /^(Sound is on\. Two tones were just played|This browser plays no sound)/);
  await clean(vera, "watch");
  await vera.picture("watch-flash");
  await vera.speak("ru");
  await vera.picture("watch-flash-ru");
  quiet(vera);
});

test("the officer takes it, reads it in his language, and has understood it", async () => {
  const { page } = vera;
  await Promise.all([page.waitForURL("**said=taken**"), page.keyboard.press("a")]);
  assert.equal(await page.locator(".item.untaken").count(), 0);
  const open = await page.getAttribute(".statement-title a", "href");
  await vera.go(open);
  assert.match(await page.textContent("main"), /ЗАПРОС/);
  const quoted = page.locator("blockquote.quoted").first();
  assert.equal(await quoted.getAttribute("lang"), "en");
  await vera.picture("statement-ru");
  await page.keyboard.press("u");
  await page.waitForURL("**/reply?**");
  await vera.picture("understood-ru");
  await Promise.all([page.waitForURL("**said=sent**"), page.keyboard.press("Enter")]);
  quiet(vera);
});

test("an answer needs only what the form asks", async () => {
  const { page } = vera;
  await vera.speak("en");
  await vera.go("/real/traffic");
  await vera.picture("traffic");
  await clean(vera, "traffic");
  await Promise.all([page.waitForURL("**/real/statement/**"), page.click('tr.prec-Z:has-text("INQUIRY") a')]);
  await page.keyboard.press("r");
  await page.waitForURL("**/reply**");
  await page.selectOption('[id="f.finding"]', "not-ours");
  await page.selectOption("#precedence", "P");
  await clean(vera, "answer");
  await Promise.all([page.waitForURL("**said=sent**"), page.click("#send")]);
  await until("the answer arrives", async () => {
    await anna.go("/real/traffic");
    return /ANSWER/.test(await anna.page.textContent("table"));
  });
  quiet(vera);
});

test("what was said in error is cancelled by the prepared words", async () => {
  const { page } = anna;
  await anna.go("/real/compose");
  await page.click('a:text-is("NOTICE")');
  await page.selectOption('[id="f.subject"]', "information");
  await page.fill('[id="f.text"]', "Sent too early.");
  await Promise.all([page.waitForURL("**said=sent**"), page.click("#send")]);
  await page.keyboard.press("x");
  await page.waitForURL("**/reply?**");
  assert.match(await page.inputValue('[id="f.reason"]'), /^The message XN\/\S+ of \d{6}Z .* was sent in error\./);
  await Promise.all([page.waitForURL("**said=sent**"), page.click("#send")]);
  quiet(anna);
});

test("loss of control is three fields and one button", async () => {
  const { page } = anna;
  await anna.go("/real/watch");
  await page.keyboard.press("l");
  await page.waitForURL("**/real/loss");
  await page.fill("#what", "A tool of ours has got loose.");
  await anna.picture("loss");
  await clean(anna, "loss");
  await Promise.all([page.waitForURL("**/real/statement/**"), page.click("button.first")]);
  assert.match(await page.textContent("h1"), /FLASH/);
  quiet(anna);
});

test("the watch is handed over when both have signed", async () => {
  await anna.go("/real/roster");
  await anna.picture("roster");
  await clean(anna, "roster");
  const { page } = anna;
  const form = page.locator('form[action$="/handover"]').first();
  await form.locator('select[name="on"]').selectOption("boris");
  await form.locator("textarea").fill("One answer is still open.");
  await Promise.all([page.waitForURL("**/real/releases?**"), form.locator("button").click()]);
  await anna.picture("handover");
  await Promise.all([page.waitForURL("**said=approved**"), page.click("[data-approve]")]);
  await boris.go("/real/releases");
  await Promise.all([boris.page.waitForURL("**said=handed-over**"), boris.page.click("[data-approve]")]);
  quiet(anna, boris);
});

test("axe-core finds nothing on any screen, in English and Arabic; nothing is cut off", async () => {
  const { page } = boris;
  for (const language of ["en", "ar"]) {
    await boris.go("/real/watch");
    if (language !== "en") await boris.speak(language);
    assert.equal(await page.getAttribute("html", "dir"), language === "ar" ? "rtl" : "ltr");
    for (const s of screens) {
      const answer = await boris.go("/real/" + s);
      assert.equal(answer.status(), 200, s);
      await clean(boris, `${language} ${s}`);
      await boris.picture(`${language}-${s}`);
      await page.setViewportSize({ width: 360, height: 740 });
      const wide = await page.evaluate(() => document.documentElement.scrollWidth);
      assert.ok(wide <= 360, `${language} ${s} is ${wide} pixels wide on a telephone`);
      if (language === "en") await boris.picture(`360-${s}`);
      await page.setViewportSize({ width: 1280, height: 900 });
    }
  }
  await boris.go("/real/watch");
  await boris.speak("en");
  quiet(boris);
});

test("dark, exercise, test, Chinese", async () => {
  const { page } = boris;
  await Promise.all([page.waitForNavigation(), page.selectOption("#theme", "dark")]);
  await clean(boris, "dark");
  await boris.picture("dark-watch");
  await boris.go("/real/help");
  await clean(boris, "dark help");
  await boris.picture("dark-help");
  for (const plane of ["exercise", "test"]) {
    await boris.go(`/${plane}/watch`);
    assert.equal(await page.locator(".edge").count(), 4);
    assert.match(await page.title(), new RegExp(plane.toUpperCase()));
    await clean(boris, plane);
    await boris.picture(plane);
  }
  await Promise.all([page.waitForNavigation(), page.selectOption("#theme", "light")]);
  await boris.go("/real/watch");
  for (const l of ["zh", "fr", "es", "ru"]) {
    await boris.speak(l);
    await boris.picture(`${l}-watch`);
  }
  await boris.speak("en");
  quiet(boris);
});

test("without script everything but passkeys works", async () => {
  const cookies = await anna.context.cookies();
  const context = await world.browser.newContext({ javaScriptEnabled: false, viewport: { width: 1280, height: 900 } });
  await context.addCookies(cookies);
  const page = await context.newPage();
  await page.goto(anna.party.origin + "/real/watch");
  assert.match(await page.textContent("h1"), /What needs me now/);
  assert.equal(await page.locator('noscript, meta[http-equiv="refresh"]').count() > 0, true);
  await page.selectOption("#lang", "fr");
  await Promise.all([page.waitForNavigation(), page.click(".prefs button")]);
  assert.equal(await page.getAttribute("html", "lang"), "fr");
  await context.close();
});

test("keys move through the list, and are off in a text field", async () => {
  const { page } = anna;
  await anna.go("/real/traffic");
  await page.keyboard.press("j");
  await page.keyboard.press("j");
  const second = page.locator("a[data-row]").nth(1);
  assert.equal(await second.evaluate((e) => e === document.activeElement), true);
  await page.keyboard.press("/");
  await page.keyboard.type("nrrc jgw");
  assert.equal(await page.inputValue("[data-search]"), "nrrc jgw");
  await page.keyboard.press("Escape");
  await page.keyboard.press("g");
  await page.keyboard.press("l");
  await page.waitForURL("**/real/links");
  await page.keyboard.press("?");
  await page.waitForURL("**/real/help");
  quiet(anna);
});

test("a hostile party's words execute nothing, hide nothing and reorder nothing", async () => {
  const text = `"'></textarea><script>alert(1)</script><img src=x onerror=alert(2)><svg onload=alert(3)> {{7*7}} ${"\u05e9\u05dc\u05d5\u05dd"} مرحبا`;
  await world.south.ask("POST", "/v1/statements", { channel: "nrrc", to: "xn", post: "nrrc", precedence: "P", form: "notice", marking: "<b>TLP</b>",
    text: { subject: "information", text, contact: text.slice(0, 150) },
    attachments: [{ name: "<img src=x onerror=alert(4)>.html", type: "text/html", data: Buffer.from("<script>alert(5)</script>").toString("base64") }] });
  const { page } = anna;
  let href = "";
  await until("it arrives", async () => {
    const found = await anna.party.ask("GET", "/v1/statements?direction=in&form=notice");
    const told = found.find((s) => s.precedence === "P");
    if (told) href = "/real/statement/" + told.id;
    return href;
  });
  for (const language of ["ar", "zh", "fr", "es", "ru", "en"]) {
    await anna.go("/real/watch");
    await anna.speak(language);
    for (const where of ["/real/watch", "/real/traffic", href, href + "/reply", "/real/log"]) {
      await anna.go(where);
      assert.equal(await page.locator("main script, main img[src=x], main svg[onload], main b:text('TLP')").count(), 0, where);
    }
    await anna.go(href);
    const quoted = page.locator("blockquote.quoted p").first();
    assert.equal(await quoted.textContent(), text);
    assert.equal(await quoted.evaluate((e) => getComputedStyle(e.parentElement).unicodeBidi), "isolate");
  }
  await anna.picture("hostile");
  await until("the file has come", async () => { await anna.go(href); return page.locator(".files a").count(); });
  const [saved] = await Promise.all([page.waitForEvent("download"), page.click(".files a")]);
  assert.match(saved.suggestedFilename(), /html$/);
  quiet(anna);
});
