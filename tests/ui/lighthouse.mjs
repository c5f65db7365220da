// What Lighthouse says of pages with much on them: the median of five, as one is as good as the machine's
// mood. From a directory of its own: it is large, and only a full run needs it.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const url = process.env.ARTDAG_URL;
const rounds = Number(process.env.ARTDAG_ROUNDS ?? 5);
const require = createRequire(`${process.env.ARTDAG_LIGHTHOUSE}/`);
const { default: lighthouse } = await import(pathToFileURL(require.resolve("lighthouse")));
const JUDGED = ["performance", "accessibility", "best-practices"];
const LEAST = 95;

/** A browser that is led through a port of its own. */
const profile = mkdtempSync(join(tmpdir(), "artdag-lighthouse-"));
const args = ["--headless=new", "--remote-debugging-port=0", `--user-data-dir=${profile}`, "--disable-gpu", "--no-first-run"];
if (process.getuid() === 0) args.push("--no-sandbox");
const browser = spawn(process.env.CHROME_PATH ?? "/usr/bin/chromium", [...args, "about:blank"], { stdio: ["ignore", "ignore", "pipe"] });
const port = await new Promise((resolve, reject) => {
  let said = "";
  browser.stderr.on("data", (data) => {
    said += data;
    const found = /DevTools listening on ws:\/\/[^:]+:(\d+)/.exec(said);
    if (found) resolve(Number(found[1]));
  });
  browser.on("exit", () => reject(new Error(said)));
});

const runs = await (await fetch(`${url}/runs?limit=1`)).json();
const failures = [];
try {
  for (const path of ["/", "/runs", `/run/${runs[0].run_id}`, "/media", "/recipes"]) {
    const scores = Object.fromEntries(JUDGED.map((name) => [name, []]));
    let worst = [];
    for (let round = 0; round < rounds; round += 1) {
      const { lhr } = await lighthouse(url + path, { port, onlyCategories: JUDGED, output: "json", logLevel: "error" });
      assert.equal(lhr.runtimeError, undefined, `${path}: ${JSON.stringify(lhr.runtimeError)}`);
      for (const name of JUDGED) scores[name].push(lhr.categories[name].score * 100);
      worst = Object.values(lhr.audits).filter((audit) => audit.score !== null && audit.score < 0.9);
    }
    const told = JUDGED.map((name) => {
      const median = scores[name].sort((a, b) => a - b)[Math.floor(rounds / 2)];
      if (median < LEAST) failures.push(`${path}: ${name} ${median}\n${worst.map((audit) => `    ${audit.id} ${audit.score} ${audit.displayValue ?? ""}`).join("\n")}`);
      return `${name} ${median.toFixed(0)}`;
    });
    console.log(`${path.replace(/[0-9a-f-]{36}/, "{id}")}: ${told.join(", ")}`);
  }
} finally {
  const gone = new Promise((resolve) => browser.once("exit", resolve));
  browser.kill();
  await gone;
  rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
}
assert.deepEqual(failures, [], failures.join("\n"));
process.exit(0);
