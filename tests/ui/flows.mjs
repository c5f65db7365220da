// What people do, in a real browser.

import { LOOKS, accessible, api, assert, cases, ended, logIn, open } from "./support.mjs";

/** A picture of a few pixels that no home has: PNG made in the page, from a canvas. */
const drop = async (page, name, colour) => {
  const data = await page.evaluateHandle(
    async ([name, colour]) => {
      const canvas = document.createElement("canvas");
      canvas.width = 64;
      canvas.height = 48;
      const pen = canvas.getContext("2d");
      pen.fillStyle = colour;
      pen.fillRect(0, 0, 64, 48);
      const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
      const transfer = new DataTransfer();
      transfer.items.add(new File([blob], name, { type: "image/png" }));
      return transfer;
    },
    [name, colour],
  );
  await page.dispatchEvent("main", "dragover", { dataTransfer: data });
  await page.dispatchEvent("main", "drop", { dataTransfer: data });
};

await cases({
  "a file is uploaded by drop, and again is already here": async () => {
    const page = await open();
    await page.goto("/media");
    const colour = `#${(0x100000 + Math.floor(Math.random() * 0xe00000)).toString(16)}`;
    const name = `dropped-${colour.slice(1)}.png`;
    await drop(page, name, colour);
    await page.getByText("added:").waitFor();
    await page.locator("#grid").getByText(name).waitFor();
    const sent = [];
    page.on("request", (request) => sent.push(`${request.method()} ${new URL(request.url()).pathname}`));
    await drop(page, name, colour);
    await page.getByText("already here:").waitFor();
    assert.deepEqual(sent.filter((call) => call.startsWith("PATCH")), [], "what is here is not sent again");
    await page.locator("section.uploads a").first().click();
    await page.getByRole("heading", { level: 1, name }).waitFor();
    await page.close();
  },

  "a recipe is run by its form, and the nodes change without a reload": async () => {
    const { config_id } = await api("POST", "/configs/upload", process.env.ARTDAG_HEAVY, "application/yaml");
    const page = await open();
    await page.goto(`/recipe/${config_id}`);
    await page.locator("[data-plan]").getByText(/\d+ of \d+ known/).waitFor();
    // It begins when somebody watches: a fast machine would be done before.
    await api("POST", "/queue/pause", {});
    await page.getByRole("button", { name: "Run", exact: true }).click();
    await page.waitForURL("**/run/*");
    await page.evaluate(() => (globalThis.sameDocument = true));
    await page.locator("a.node.s-pending").first().waitFor();
    await api("POST", "/queue/resume", {});
    await page.locator("a.node.s-running").first().waitFor();
    await page.locator("#run-head .state.s-completed").waitFor({ timeout: 120_000 });
    await page.locator("#run-output img").first().waitFor();
    await page.waitForFunction(() => document.querySelectorAll("a.node.s-running, a.node.s-pending").length === 0);
    assert.deepEqual((await api("GET", `/runs/${page.url().split("/").pop()}`)).params, {}, "a form that nobody touched changes nothing");
    assert.equal(await page.evaluate(() => globalThis.sameDocument), true, "the page was not loaded again");
    await page.locator("a.node").first().click();
    await page.locator("#node .panel").waitFor();
    assert.equal(await page.evaluate(() => globalThis.sameDocument), true);
    await page.close();
  },

  "the same run is seen by two, and one of them cancels it": async () => {
    const { config_id } = await api("POST", "/configs/upload", process.env.ARTDAG_LONG, "application/yaml");
    await api("POST", "/queue/pause", {});
    const { run_id } = await api("POST", `/configs/${config_id}/run`, {});
    const [one, other] = [await open(), await open(LOOKS[3])];
    await one.goto(`/run/${run_id}`);
    await other.goto("/runs");
    await other.locator(`[data-run="${run_id}"] .state.s-pending`).waitFor();
    await api("POST", "/queue/resume", {});
    await other.locator(`[data-run="${run_id}"] .state.s-running`).waitFor();
    await one.getByRole("button", { name: "Cancel" }).click();
    await one.locator("#run-head .state.s-cancelled").waitFor();
    await other.locator(`[data-run="${run_id}"] .state.s-cancelled`).waitFor();
    assert.equal((await ended(run_id)).status, "cancelled");
    await one.close();
    await other.close();
  },

  "what is held is not deleted, and the holder is named": async () => {
    const { run_id } = await api("POST", "/runs", { recipe: "invert", inputs: ["cat"] });
    await ended(run_id);
    const page = await open();
    await logIn(page);
    await page.goto("/media/cat");
    await page.getByText("It may not be deleted:").waitFor();
    const { href } = await page.evaluate(() => location);
    await page.goto(`${href}/delete`);
    const refusal = await page.getByRole("alert").textContent();
    assert.match(refusal, /run [0-9a-f-]{36}/);
    assert.equal(await page.getByRole("button", { name: "Delete" }).count(), 0);
    await page.close();
  },

  "a run is deleted after what goes was told": async () => {
    const { run_id } = await api("POST", "/runs", { recipe: "sepia", inputs: ["cat"] });
    await ended(run_id);
    const page = await open();
    await logIn(page);
    await page.locator(`[data-run="${run_id}"] .pick`).check();
    await page.getByText("1 chosen:").waitFor();
    await page.getByRole("button", { name: "Delete…" }).click();
    await page.getByText("This frees about").waitFor();
    await page.getByRole("button", { name: "Delete" }).click();
    await page.waitForURL("**/runs");
    assert.equal(await page.locator(`[data-run="${run_id}"]`).count(), 0);
    await page.close();
  },

  "a run that somebody deletes goes from open pages, and its own page says so": async () => {
    const { run_id } = await api("POST", "/runs", { recipe: "sharpen", inputs: ["cat"] });
    await ended(run_id);
    const pages = [];
    for (const path of ["/", "/runs", `/run/${run_id}`]) {
      const page = await open(undefined, { expected: ["404"] });
      await logIn(page);
      await page.goto(path);
      await page.evaluate(() => (globalThis.sameDocument = true));
      pages.push(page);
    }
    const [home, list, own] = pages;
    for (const page of [home, list]) await page.locator(`[data-run="${run_id}"]`).waitFor();
    await own.getByRole("link", { name: "Delete…" }).waitFor();
    // The streams are open when this is told.
    for (const page of pages) await page.waitForTimeout(300);
    await api("DELETE", `/runs/${run_id}`);
    for (const page of [home, list]) await page.locator(`[data-run="${run_id}"]`).waitFor({ state: "detached" });
    await own.getByText("This run was deleted.").waitFor();
    assert.equal(await own.locator(".actions").count(), 0, "nothing more can be done with it");
    await accessible(own, "a deleted run");
    for (const page of pages) {
      assert.equal(await page.evaluate(() => globalThis.sameDocument), true, "no page was loaded again");
      await page.close();
    }
  },

  "a picture that is damaged behind its header says that it cannot be shown": async () => {
    // A header of 300 × 200 pixels, and nothing that can be read after it.
    const header = Buffer.from("iVBORw0KGgoAAAANSUhEUgAAASwAAADICAIAAADdvUsCAAAAEElEQVT//////////////////////////w==", "base64");
    const { content_hash } = await api("POST", "/cache/upload?name=damaged.png", header, "application/octet-stream");
    const { width, height } = await api("GET", `/cache/${content_hash}/info`);
    assert.deepEqual([width, height], [300, 200]);
    // Of a type that this browser does not know: its own bytes are what its page shows.
    const plain = "name: plain\ndag:\n  nodes:\n    - {id: a, type: GENERATE, config: {kind: gradient, width: 300, height: 200}}\n  output: a\n";
    const { config_id } = await api("POST", "/configs/upload", plain, "application/yaml");
    const { output_hash } = await ended((await api("POST", `/configs/${config_id}/run`, { format: "tiff" })).run_id);
    const shifts = (page) =>
      page.evaluate(
        () =>
          new Promise((done) => {
            let sum = 0;
            new PerformanceObserver((list) => list.getEntries().forEach((entry) => (sum += entry.value))).observe({ type: "layout-shift", buffered: true });
            setTimeout(() => done(sum), 500);
          }),
      );
    for (const late of [false, true]) {
      const page = await open(undefined, { expected: ["404"] });
      // The pictures have failed long before the script is there.
      if (late) await page.route("**/page.js", (route) => setTimeout(() => route.continue(), 1500));
      await page.goto("/media?q=damaged");
      await page.locator(".medium .broken").getByText("This picture cannot be shown").waitFor();
      assert.equal(await page.locator("#grid img").count(), 0);
      await accessible(page, "media with a damaged one");
      await page.goto(`/media/${output_hash}`);
      const box = page.locator(".stage .broken");
      await box.getByText("This picture cannot be shown").waitFor();
      await accessible(page, "a medium that cannot be shown");
      const { width, height } = await box.boundingBox();
      assert.deepEqual([Math.round(width), Math.round(height)], [300, 200], "it has the picture's room");
      if (!late) assert.ok((await shifts(page)) < 0.01, "nothing moves");
      await page.goto("/media/cat");
      await page.locator(".stage img").waitFor();
      assert.equal(await page.locator(".broken").count(), 0, "what can be shown is shown");
      await page.close();
    }
    // Other cases look at pages without any trouble.
    await api("DELETE", `/cache/${content_hash}`);
  },

  "media are found by a form without script": async () => {
    const page = await open(undefined, { script: false });
    await page.goto("/media?kind=image");
    await page.getByLabel("Where it came from").selectOption({ label: "Uploaded" });
    await page.getByRole("searchbox").fill("cat");
    await page.getByRole("button", { name: "Find" }).click();
    await page.locator(".medium-name").getByText("cat", { exact: true }).waitFor();
    const asked = new URL(page.url()).searchParams;
    assert.deepEqual([asked.get("kind"), asked.get("origin"), asked.get("q")], ["image", "upload", "cat"]);
    await page.getByLabel("Size of the file").selectOption({ label: "100 MB and more" });
    await page.getByRole("button", { name: "Find" }).click();
    await page.getByText("Nothing here is like that.").waitFor();
    await page.getByRole("link", { name: "All media" }).click();
    await page.waitForURL("**/media");
    await page.close();
  },

  "before and after are compared by the slider": async () => {
    const { run_id } = await api("POST", "/runs", { recipe: "dog", inputs: ["cat"] });
    await ended(run_id);
    const page = await open();
    await page.goto(`/run/${run_id}`);
    const slider = page.getByRole("slider");
    const cut = () => page.locator("[data-compare]").evaluate((figure) => figure.style.getPropertyValue("--cut"));
    assert.equal(await cut(), "50%");
    await slider.focus();
    await page.keyboard.press("Home");
    assert.equal(await cut(), "0%");
    await page.keyboard.press("ArrowRight");
    assert.equal(await cut(), "0.5%");
    await page.close();
  },

  "somebody logs in by an address, by a form, and out": async () => {
    const page = await open(LOOKS[0], { expected: ["401"] });
    await page.goto("/storage");
    await page.getByRole("link", { name: "Log in" }).first().waitFor();
    await logIn(page);
    await page.getByRole("link", { name: "Log out" }).click();
    await page.getByRole("heading", { name: "Logged out" }).waitFor();
    await page.goto("/storage");
    assert.equal(await page.getByRole("button", { name: /Down to/ }).count(), 0);
    await page.getByRole("link", { name: "Log in" }).last().click();
    await page.getByLabel("Token").fill(process.env.ARTDAG_TOKEN);
    await page.getByRole("button", { name: "Log in" }).click();
    await page.waitForURL("**/storage");
    await page.getByRole("button", { name: "Down to the limit…" }).click();
    await page.getByText("Make room?").waitFor();
    await page.close();
  },

  "files of every shape of tree have the name that the server gives them": async () => {
    const page = await open();
    await page.goto("/media");
    const hashed = await page.evaluate(async () => {
      const names = [];
      const address = document.querySelector("script[src*='page.js']").src.replace("page.js", "blake3.js");
      const { Hasher } = await import(address);
      for (const size of [0, 1, 64, 65, 1023, 1024, 1025, 2048, 3073, 7169, 1048577]) {
        const bytes = new Uint8Array(size).map((_, at) => (at * 31 + size) % 251);
        const hasher = new Hasher();
        for (let at = 0; at < size; at += 700) hasher.update(bytes.subarray(at, at + 700));
        const answer = await fetch("/cache/upload", { method: "POST", headers: { "Content-Type": "application/octet-stream" }, body: bytes });
        names.push([size, hasher.hex(), (await answer.json()).content_hash]);
      }
      return names;
    });
    for (const [size, here, there] of hashed) assert.equal(here, there, `${size} bytes`);
    await page.close();
  },

  "words that fit are offered as a recipe is written": async () => {
    const page = await open();
    await page.goto("/recipes/new");
    const text = page.locator("#yaml");
    const offered = page.getByRole("listbox", { name: "What fits here" });
    const type = async (written, wanted) => {
      await text.fill(written);
      await text.press("Control+End");
      await text.press("Control+Space");
      await offered.getByRole("option", { name: wanted }).first().waitFor();
    };
    const begun = "name: x\ndag:\n  nodes:\n    - {id: photo, type: SOURCE, config: {input: true}}\n    - id: lines\n      type: EFFECT\n";
    await type("name: x\ndag:\n  nodes:\n    - id: a\n      type: RES", /^RESIZE/);
    await text.press("Tab");
    assert.match(await text.inputValue(), /type: RESIZE$/);
    assert.equal(await offered.isVisible(), false);
    await type(`${begun}      config: {effect: d`, /^dog/);
    await type(`${begun}      config: {effect: dog, params: {sig`, /^sigma/);
    await text.press("Tab");
    assert.match(await text.inputValue(), /params: \{sigma: $/);
    await type(`${begun}      inputs: [ph`, /^photo/);
    await type(`${begun}      config:\n        effect: dog\n        params:\n          sig`, /^sigma/);
    await accessible(page, "what fits");
    await text.press("Escape");
    assert.equal(await offered.isVisible(), false);
    await page.close();
  },

  "a recipe is written with its problems as they are typed, and tried on the cat": async () => {
    const page = await open();
    await page.goto("/recipes/new");
    await page.locator("#beside a.node").first().waitFor();
    const text = await page.locator("#yaml").inputValue();
    await page.locator("#yaml").fill(text.replace("effect: dog", "effect: dgo"));
    await page.locator("#beside .problems").getByText("did you mean").waitFor();
    await page.locator("[data-to-line]").first().click();
    assert.ok(await page.evaluate(() => document.activeElement?.id === "yaml"));
    await page.locator("#yaml").fill(text);
    await page.getByRole("button", { name: "Try it" }).click();
    await page.locator("[data-result] img").waitFor();
    await page.getByRole("button", { name: "Keep it" }).click();
    await page.waitForURL("**/recipe/*");
    await page.close();
  },

  "the gallery draws what is missing": async () => {
    const page = await open();
    await page.goto("/effects");
    await page.getByRole("button", { name: "Draw what is missing" }).click();
    await page.waitForFunction(() => !document.body.textContent.includes("not drawn yet"));
    await page.close();
  },

  "without script a file is uploaded, a recipe run, and the run deleted": async () => {
    const page = await open(LOOKS[0], { script: false });
    await logIn(page);
    await page.goto("/media");
    await page.getByLabel(/Drop files anywhere/).setInputFiles({ name: "plain.txt", mimeType: "text/plain", buffer: Buffer.from(`no script ${Math.random()}`) });
    await page.getByRole("button", { name: "Upload" }).click();
    await page.getByRole("heading", { level: 1 }).waitFor();
    assert.match(new URL(page.url()).pathname, /^\/media\/[0-9a-f]{64}$/);
    await page.goto("/recipe/invert?input=cat");
    await page.getByRole("button", { name: "Run", exact: true }).click();
    await page.waitForURL("**/run/*");
    const run = page.url().split("/").pop();
    await ended(run);
    await page.reload();
    assert.equal(await page.locator("#run-output img").count(), 2);
    await page.locator("a.node").last().click();
    await page.locator("#node .panel").waitFor();
    await page.getByRole("link", { name: "Delete…" }).click();
    await page.getByRole("button", { name: "Delete" }).click();
    await page.waitForURL("**/runs");
    await page.close();
  },

  "keys lead around, and a sheet tells them": async () => {
    const page = await open();
    await page.goto("/");
    await page.keyboard.press("?");
    await page.getByRole("dialog").getByText("This sheet").waitFor();
    await accessible(page, "the sheet of keys");
    await page.keyboard.press("Escape");
    await page.keyboard.press("g");
    await page.keyboard.press("m");
    await page.waitForURL("**/media");
    await page.close();
  },
});
