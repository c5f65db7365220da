// What benches/pages.sh measures.

import { drawn, fan, knot, moved, waiting } from "../tests/ui/large.mjs";
import { close, open } from "../tests/ui/support.mjs";

const rounds = Number(process.env.ROUNDS);
const median = (numbers) => numbers.sort((a, b) => a - b)[Math.floor((numbers.length - 1) / 2)];
const whole = (number) => number.toFixed(0).padStart(5);

for (const [name, yaml, ways] of [
  ["fan of 1,000", fan(1000), ["", "?open=*"]],
  ["knot of 1,000", knot(1000), ["", "?open=*"]],
  ["fan of 10,000", fan(10_000), ["", "?open=small0"]],
  ["knot of 10,000", knot(10_000), ["", "?open=b5000"]],
]) {
  const run = await waiting(yaml);
  for (const way of ways) {
    const seen = [];
    for (let round = 0; round < rounds; round += 1) {
      const page = await open();
      const time = await drawn(page, `/run/${run}${way}`);
      const boxes = await page.locator("[data-graph] a.node").count();
      seen.push({ time, boxes, ...(await moved(page)) });
      await page.context().close();
    }
    const of = (what) => whole(median(seen.map(what)));
    console.log(
      `${name.padEnd(15)} ${way.padEnd(13)} ${String(seen[0].boxes).padStart(5)} boxes: drawn after ${of((one) => one.time.all)} ms, of these ${of((one) => one.time.sent)} until all was sent; ` +
        `pan ${of((one) => one.pan.rate)} frames a second (longest ${of((one) => one.pan.longest)} ms), zoom ${of((one) => one.zoom.rate)} (longest ${of((one) => one.zoom.longest)} ms)`,
    );
  }
}
await close();
