// Graphs of runs that are too large to be seen at once, and how fast they are drawn and moved.
// benches/pages.sh measures with these, tests/ui/graph.mjs holds them.

import { api } from "./support.mjs";

/** A picture of one pixel: what is looked at is the graph, and not what it makes. */
const DOT = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

/** The source of these graphs. */
export const dot = () => api("POST", "/cache/upload?name=dot", Buffer.from(DOT, "base64"), "application/octet-stream");

/** A source, many times two nodes that one layer takes, and a tail of effects: `all` nodes, with the one that encodes. */
export const fan = (all) => {
  const nodes = all - 1;
  const width = Math.floor((nodes - 2) / 3);
  const tail = nodes - 2 - 2 * width;
  const lines = ["    - {id: photo, type: SOURCE, config: {asset: dot}}"];
  for (let at = 0; at < width; at += 1) {
    lines.push(`    - {id: small${at}, type: RESIZE, config: {width: ${8 + (at % 40)}, height: ${8 + Math.floor(at / 40)}}, inputs: [photo]}`);
    lines.push(`    - {id: turned${at}, type: EFFECT, config: {effect: invert}, inputs: [small${at}]}`);
  }
  const layers = Array.from({ length: width }, (_, at) => `turned${at}`);
  lines.push(`    - {id: laid, type: LAYER, inputs: [${layers.join(", ")}]}`);
  let before = "laid";
  for (let at = 0; at < tail; at += 1) {
    lines.push(`    - {id: tail${at}, type: EFFECT, config: {effect: ${at % 2 ? "sepia" : "invert"}}, inputs: [${before}]}`);
    before = `tail${at}`;
  }
  return `name: fan-${all}\ndag:\n  nodes:\n${lines.join("\n")}\n  output: ${before}\n`;
};

/** No two nodes of it are alike: each blends the one before it with another one, far away. */
export const knot = (all) => {
  const nodes = all - 1;
  const lines = ["    - {id: photo, type: SOURCE, config: {asset: dot}}", "    - {id: b0, type: EFFECT, config: {effect: invert}, inputs: [photo]}"];
  for (let at = 1; at < nodes - 1; at += 1) {
    const other = (at * 7919) % at;
    lines.push(`    - {id: b${at}, type: BLEND, config: {opacity: 0.5}, inputs: [b${at - 1}, ${other ? `b${other - 1}` : "photo"}]}`);
  }
  return `name: knot-${all}\ndag:\n  nodes:\n${lines.join("\n")}\n  output: b${nodes - 2}\n`;
};

/** A run of a config that waits: what is looked at is its graph. */
export const waiting = async (yaml) => {
  await api("POST", "/queue/pause", {});
  await dot();
  const { config_id } = await api("POST", "/configs/upload", yaml, "application/yaml");
  return (await api("POST", `/configs/${config_id}/run`, {})).run_id;
};

/** Milliseconds from the call for a page until its graph is on the screen, with the server's share. */
export const drawn = async (page, address) => {
  await page.goto(address, { waitUntil: "load" });
  await page.locator("[data-graph] svg").waitFor();
  return page.evaluate(
    () =>
      new Promise((done) =>
        requestAnimationFrame(() =>
          requestAnimationFrame(() => {
            const [{ responseStart, responseEnd }] = performance.getEntriesByType("navigation");
            done({ all: performance.now(), server: responseStart, sent: responseEnd });
          }),
        ),
      ),
  );
};

/** Frames a second, and the longest time between two, while something is done. */
const frames = async (page, what) => {
  await page.evaluate(() => {
    const seen = (globalThis.seen = { count: 0, longest: 0, from: performance.now(), on: true });
    let last = seen.from;
    const tick = (now) => {
      if (!seen.on) return;
      seen.count += 1;
      seen.longest = Math.max(seen.longest, now - last);
      last = now;
      requestAnimationFrame(tick);
    };
    requestAnimationFrame(tick);
  });
  await what();
  return page.evaluate(() => {
    globalThis.seen.on = false;
    const { count, longest, from } = globalThis.seen;
    return { rate: (1000 * count) / (performance.now() - from), longest };
  });
};

/** The graph moved by the wheel and by hand, and made smaller and larger, by so many events of a real mouse. */
export const moved = async (page, events = 60) => {
  const graph = page.locator("[data-graph]");
  await graph.scrollIntoViewIfNeeded();
  const box = await graph.boundingBox();
  const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
  await page.mouse.move(x, y);
  const turn = async (times, by) => {
    for (let at = 0; at < times; at += 1) await page.mouse.wheel(...by(at));
  };
  const pan = await frames(page, async () => {
    await turn(events, (at) => [at % 30 < 15 ? 60 : -60, at % 20 < 10 ? 40 : -40]);
    // By its ground: the corner where no node is.
    await page.mouse.move(box.x + 3, box.y + 3);
    await page.mouse.down();
    for (let at = 0; at < events; at += 1) await page.mouse.move(box.x + 3 + (at % 30 < 15 ? -8 * (at % 15) : 8 * (at % 15)), box.y + 3 + 5 * (at % 15));
    await page.mouse.up();
  });
  await page.mouse.move(x, y);
  await page.keyboard.down("Control");
  const zoom = await frames(page, () => turn(2 * events, (at) => [0, at % 60 < 30 ? 40 : -40]));
  await page.keyboard.up("Control");
  return { pan, zoom };
};
