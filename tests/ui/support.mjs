// A browser, a server to look at, and what every case checks: nothing is refused by the pages'
// policy, nothing is thrown, nothing comes from another host.

import assert from "node:assert/strict";
import { createRequire } from "node:module";

const require = createRequire(`${process.env.ARTDAG_NODE}/`);
const { chromium } = require("playwright-core");
const axe = require("axe-core").source;

export const url = process.env.ARTDAG_URL ?? "";
export const token = process.env.ARTDAG_TOKEN ?? "";
export { assert };

/** Pages, as people see them. */
export const LOOKS = [
  { name: "desktop", viewport: { width: 1280, height: 900 }, colorScheme: "light" },
  { name: "desktop-dark", viewport: { width: 1280, height: 900 }, colorScheme: "dark" },
  { name: "phone", viewport: { width: 320, height: 640 }, colorScheme: "light" },
  { name: "phone-dark", viewport: { width: 390, height: 844 }, colorScheme: "dark" },
];

let browser;
const troubles = [];

/** What a page does that it should not, but for what a case says it will. */
const watch = (page, base, expected) => {
  page.on("console", (message) => {
    if (message.type() === "error" && !expected.some((words) => message.text().includes(words))) troubles.push(`${page.url()}: ${message.text()}`);
  });
  page.on("pageerror", (error) => troubles.push(`${page.url()}: ${error.message}`));
  page.on("request", (request) => {
    if (!request.url().startsWith(base) && !/^(blob|data):/.test(request.url())) troubles.push(`${page.url()}: loads ${request.url()}`);
  });
};

/** A new browser profile with one page. */
export const open = async (look = LOOKS[0], { base = url, expected = [], script = true } = {}) => {
  browser ??= await chromium.launch({ executablePath: process.env.ARTDAG_CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox", "--disable-gpu"] });
  const context = await browser.newContext({ viewport: look.viewport, colorScheme: look.colorScheme, baseURL: base, javaScriptEnabled: script });
  context.setDefaultTimeout(60_000);
  const page = await context.newPage();
  watch(page, base, expected);
  return page;
};

/** Ends the browser. */
export const close = () => browser?.close();

/** Logs in by the address that holds a token. */
export const logIn = async (page) => {
  await page.goto(`/auth?auth_token=${token}&next=/runs`);
  await page.waitForURL((address) => address.pathname === "/runs");
};

/** Calls the API, as programs do. */
export const api = async (method, path, body, type = "application/json", base = url) => {
  const headers = { Authorization: `Bearer ${token}`, ...(body === undefined ? {} : { "Content-Type": type }) };
  const sent = body === undefined || typeof body === "string" || body instanceof Uint8Array ? body : JSON.stringify(body);
  const answer = await fetch(base + path, { method, headers, body: sent });
  const text = await answer.text();
  assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${text}`);
  return text ? JSON.parse(text) : null;
};

/** A run once it has ended. */
export const ended = async (run) => {
  for (;;) {
    const told = await api("GET", `/runs/${run}`);
    if (["completed", "failed", "cancelled"].includes(told.status)) return told;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
};

/** Nobody is shut out: no violation that the checker knows of, and nothing wider than the page. */
export const accessible = async (page, name) => {
  await page.evaluate(axe);
  const found = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
  const told = found.violations.map((rule) => `${rule.id}: ${rule.help}\n${rule.nodes.slice(0, 4).map((node) => `    ${node.html.slice(0, 200)}`).join("\n")}`);
  assert.equal(told.length, 0, `${name} (${page.url()}):\n${told.join("\n")}`);
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  assert.ok(wide <= 0, `${name} (${page.url()}) is ${wide} px wider than its window`);
};

/** Runs cases one after the other; the first that fails ends the program with its words. */
export const cases = async (list) => {
  for (const [name, body] of Object.entries(list)) {
    const began = Date.now();
    await body();
    console.log(`${name}: ${Date.now() - began} ms`);
  }
  await close();
  assert.deepEqual(troubles, []);
};
