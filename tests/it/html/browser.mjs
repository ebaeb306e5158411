// Opens an HTML report in a real browser and tells what happened. Arguments: the folder of npm's `playwright-core`, the
// browser, the report, a folder for screenshots (`-` for none), and words to search for. Prints one JSON object; whatever
// the console, the page's policy or the network says is in `complaints`.
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

const [folder, executablePath, report, shots, words] = process.argv.slice(2);
const { chromium } = createRequire(import.meta.url)(folder);
const address = pathToFileURL(resolve(report)).href;
// Only root can't have the browser's sandbox.
const chromiumSandbox = process.getuid() !== 0;
const browser = await chromium.launch({ executablePath, chromiumSandbox });
const complaints = [];

// A page of its own, which tells of everything it does besides loading the report.
async function open(options, hash = "") {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  page.on("console", (message) => complaints.push(`console: ${message.type()}: ${message.text()}`));
  page.on("pageerror", (error) => complaints.push(`error: ${error}`));
  page.on("dialog", (dialog) => complaints.push(`dialog: ${dialog.message()}`));
  page.on("request", (request) => {
    if (request.url().split("#")[0] !== address) complaints.push(`request: ${request.url()}`);
  });
  await page.addInitScript(() => {
    addEventListener("securitypolicyviolation", (event) => console.error(`policy: ${event.violatedDirective}`));
  });
  await page.goto(address + hash);
  return page;
}

// What a reader sees of the list.
const seen = (page) =>
  page.evaluate(() => ({
    rows: [...document.querySelectorAll("#list > li")].filter((row) => row.checkVisibility()).map((row) => row.id),
    status: document.getElementById("shown")?.textContent ?? null,
    hash: location.hash,
  }));

// Texts whose contrast against what is behind them is under 4.5 (WCAG 2.2, 1.4.3; all are taken as small).
const faint = (page) =>
  page.evaluate(() => {
    const channels = (colour) => colour.match(/[\d.]+/g).map(Number);
    const luminance = ([r, g, b]) => {
      const [x, y, z] = [r, g, b].map((c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4));
      return 0.2126 * x + 0.7152 * y + 0.0722 * z;
    };
    const behind = (element) => {
      for (let at = element; at; at = at.parentElement) {
        const colour = channels(getComputedStyle(at).backgroundColor);
        if (colour.length === 3 || colour[3] === 1) return colour;
      }
      return [255, 255, 255];
    };
    const failing = new Map();
    let looked = 0;
    for (const element of document.querySelectorAll("body *")) {
      const says = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim() !== "");
      if (!says || element.closest("script, svg") || !element.checkVisibility()) continue;
      looked += 1;
      const [a, b] = [channels(getComputedStyle(element).color), behind(element)].map(luminance);
      const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
      if (ratio < 4.5) failing.set(`${element.tagName}.${element.className}`, ratio.toFixed(2));
    }
    return { looked, failing: [...failing].map(([what, ratio]) => `${what} ${ratio}`) };
  });

// A picture of the whole page: as tall as it is, since what is off the screen isn't painted.
async function shot(page, name) {
  if (shots === "-") return;
  const { width, height } = page.viewportSize();
  for (const step of [1, 2]) {
    await page.setViewportSize({ width, height: await page.evaluate(() => document.documentElement.scrollHeight) });
    await page.waitForTimeout(step * 100);
  }
  await page.screenshot({ path: join(shots, `${name}.png`), animations: "disabled" });
  await page.setViewportSize({ width, height });
}

const told = { complaints };
const wide = { viewport: { width: 1200, height: 900 } };

const page = await open({ ...wide, colorScheme: "light" });
told.heading = await page.textContent("h1");
told.title = await page.title();
told.headings = await page.$$eval("h1, h2, h3", (all) => all.map((one) => Number(one.tagName[1])));
told.landmarks = await page.$$eval("header, main, footer", (all) => all.map((one) => one.tagName));
told.active = await page.$$eval("img, iframe, object, embed, link, base, video, audio, [style], [onerror], [onload]", (all) => all.length);
told.scripts = await page.$$eval("script", (all) => all.length);
told.links = await page.$$eval("a[href]", (all) => all.map((one) => one.getAttribute("href")));
told.text = await page.evaluate(() => document.body.textContent);
told.first = await seen(page);
told.paper = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
await shot(page, "light");

// Of a large report only what its size could break.
if (told.first.rows.length > 1000) {
  await page.fill("input[type=search]", words);
  told.searched = await seen(page);
  await page.click("button[type=reset]");
  await page.waitForFunction(() => document.querySelectorAll("#list > li[hidden]").length === 0);
  await page.click("#open");
  told.all = await page.$$eval("#list > li details[open]", (all) => all.length);
  delete told.text;
  console.log(JSON.stringify(told));
  await browser.close();
  process.exit();
}

const keyboard = [];
for (let at = 0; at < 4; at += 1) {
  await page.keyboard.press("Tab");
  keyboard.push(await page.evaluate(() => `${document.activeElement.tagName} ${getComputedStyle(document.activeElement).outlineStyle}`));
}
told.keyboard = keyboard;

if (told.first.rows.length > 0) {
  // Opened and closed from the keyboard.
  const summary = page.locator("#list > li summary").first();
  const body = page.locator("#list > li .body").first();
  await summary.focus();
  await page.keyboard.press("Enter");
  told.opened = await body.isVisible();
  told.body = await body.innerText();
  await page.keyboard.press("Enter");
  told.closed = !(await body.isVisible());

  await page.fill("input[type=search]", words);
  told.searched = await seen(page);
  await page.click("button[type=reset]");
  await page.waitForFunction(() => document.querySelectorAll("#list > li[hidden]").length === 0);
  told.cleared = await seen(page);

  told.choices = {};
  for (const name of await page.$$eval("#filters select", (all) => all.map((one) => one.name))) {
    const values = await page.$$eval(`select[name=${name}] option`, (all) => all.map((one) => one.value));
    told.choices[name] = {};
    for (const value of values.filter((one) => one !== "")) {
      await page.selectOption(`select[name=${name}]`, value);
      told.choices[name][value] = await seen(page);
    }
    await page.selectOption(`select[name=${name}]`, "");
  }

  // A bar of the overview filters; its address does so again in a new window.
  await page.click('#overview a[href*="severity="]');
  await page.waitForFunction(() => location.hash.includes("severity="));
  told.bar = await seen(page);
  told.again = await seen(await open(wide, told.bar.hash));
  await page.click("#open");
  told.all = await page.$$eval("#list > li details[open]", (all) => all.length);
  await shot(page, "opened");
  told.light = await faint(page);
}

const dark = await open({ ...wide, colorScheme: "dark" });
told.darkPaper = await dark.evaluate(() => getComputedStyle(document.body).backgroundColor);
if (told.first.rows.length > 0) await dark.click("#open");
told.dark = await faint(dark);
await shot(dark, "dark");

const narrow = await open({ viewport: { width: 390, height: 844 }, colorScheme: "light" });
await shot(narrow, "narrow");
if (told.first.rows.length > 0) await narrow.click("#list > li summary");
told.overflow = await narrow.evaluate(() => document.documentElement.scrollWidth - innerWidth);
await shot(narrow, "narrow-opened");

// Without scripts everything is there, and no form that does nothing.
const plain = await open({ ...wide, javaScriptEnabled: false });
told.plainForm = await plain.locator("#filters").isVisible();
if (told.first.rows.length > 0) {
  await plain.locator("#list > li summary").first().click();
  told.plainOpened = await plain.locator("#list > li .body").first().isVisible();
}

// On paper every finding is open.
if (shots !== "-") await page.pdf({ path: join(shots, "page.pdf"), format: "A4" });

console.log(JSON.stringify(told));
await browser.close();
