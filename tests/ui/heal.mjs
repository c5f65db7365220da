// A server that goes and comes back is noticed, and what was missed is shown, without a reload by
// hand.

import { api, assert, cases, open } from "./support.mjs";
import { base, gone, start, stop } from "./server.mjs";

try {
  await start();
  await cases({
    "two browsers see a restart and what came after it": async () => {
      const expected = ["ERR_", "Failed to load resource"];
      const pages = [await open(undefined, { base, expected }), await open(undefined, { base, expected })];
      for (const page of pages) {
        await page.goto("/runs");
        await page.evaluate(() => (globalThis.sameDocument = true));
      }
      await stop();
      for (const page of pages) await page.locator("#lost").waitFor();
      await start();
      for (const page of pages) await page.locator("#lost").waitFor({ state: "hidden" });
      const { run_id } = await api("POST", "/runs", { recipe: "invert", inputs: ["cat"] }, undefined, base);
      for (const page of pages) {
        await page.locator(`[data-run="${run_id}"] .state.s-completed`).waitFor();
        assert.equal(await page.evaluate(() => globalThis.sameDocument), true, "the same program: no page was loaded again");
      }
    },

    "an upload goes on after a restart": async () => {
      const page = await open(undefined, { base, expected: ["ERR_", "Failed to load resource"] });
      await page.goto("/media");
      // A slow way there: on a fast one all of it would have arrived before the server goes.
      const tools = await page.context().newCDPSession(page);
      const speed = (bytes) =>
        tools.send("Network.emulateNetworkConditions", { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: bytes });
      await speed(24 << 20);
      await page.evaluate(() => {
        const transfer = new DataTransfer();
        transfer.items.add(new File([new Uint8Array(192 << 20).fill(7)], "large.bin"));
        document.dispatchEvent(new DragEvent("drop", { dataTransfer: transfer, bubbles: true, cancelable: true }));
      });
      await page.waitForFunction(() => (document.querySelector("section.uploads progress")?.value ?? 0) > 16 << 20);
      await stop();
      await page.getByText("it goes on by itself").waitFor();
      await speed(-1);
      await start();
      await page.getByText("added:").waitFor();
      const { size } = await api("GET", "/cache/large.bin/info", undefined, undefined, base);
      assert.equal(size, 192 << 20);
    },
  });
} finally {
  gone();
}
