// The grid of media scrolled to its very end: what is out of sight is let go, and memory does not grow
// with the way.

import { assert, cases, open } from "./support.mjs";

const count = Number(process.env.ARTDAG_COUNT);

/** What the page takes, after everything that nobody needs was let go. */
const taken = async (tools) => {
  await tools.send("HeapProfiler.collectGarbage");
  const { metrics } = await tools.send("Performance.getMetrics");
  const of = (name) => metrics.find((one) => one.name === name).value;
  return { heap: of("JSHeapUsedSize"), nodes: of("Nodes") };
};

await cases({
  [`${count} media are scrolled to the end`]: async () => {
    const page = await open();
    const tools = await page.context().newCDPSession(page);
    await tools.send("Performance.enable");
    await page.goto("/media");
    await page.locator("#grid .medium").first().waitFor();
    const seen = [];
    let pages = 0;
    for (;;) {
      await page.evaluate(() => scrollTo(0, document.documentElement.scrollHeight));
      const ended = await page.evaluate(
        (before) =>
          new Promise((done) => {
            const look = () => {
              const lists = document.querySelectorAll("#grid .grid").length;
              if (!document.querySelector("#grid .more")) done(true);
              else if (lists > before) done(false);
              else requestAnimationFrame(look);
            };
            look();
          }),
        pages,
      );
      pages = await page.locator("#grid .grid").count();
      if (pages % 20 === 10 || ended) seen.push({ pages, ...(await taken(tools)) });
      if (ended) break;
    }
    console.log(seen.map(({ pages, heap, nodes }) => `${pages} pages: ${(heap / 1e6).toFixed(1)} MB, ${nodes} nodes`).join("; "));
    assert.ok(pages >= Math.floor(count / 100), `${pages} pages`);
    const [first, last] = [seen[0], seen[seen.length - 1]];
    // A page that was let go is an empty list: one node, and where it is had again.
    assert.ok(last.nodes < first.nodes + 4 * pages + 2000, `${first.nodes} nodes, and ${last.nodes} in the end`);
    assert.ok(last.heap < first.heap + 4000 * pages + 6e6, `${first.heap} bytes, and ${last.heap} in the end`);
    // All the way back: what was let go is there again.
    await page.evaluate(() => scrollTo(0, 0));
    await page.locator("#grid .grid").first().locator(".medium").first().waitFor();
    const back = await taken(tools);
    assert.ok(back.nodes < first.nodes + 4 * pages + 2000, `${back.nodes} nodes at the beginning again`);
    await page.close();
  },
});
