// Every page, by light and dark, on a phone and on a desk: nobody is shut out of it, and it fits.
// With ARTDAG_SCREENS a picture of each is kept there (`tests/screens.sh`).

import { LOOKS, accessible, api, assert, cases, ended, logIn, open } from "./support.mjs";

const screens = process.env.ARTDAG_SCREENS;
const { config_id } = await api("POST", "/configs/upload", process.env.ARTDAG_RECIPE, "application/yaml");

const paths = { empty: { home: "/", runs: "/runs", recipes: "/recipes", media: "/media" } };

const look = async (page, look, state, name, path) => {
  await page.goto(path);
  await page.waitForLoadState("networkidle").catch(() => {});
  await accessible(page, `${name}, ${look.name}`);
  if (screens && look.name !== "phone") {
    // Times go on, and a page's pictures come when they are in sight.
    await page.waitForTimeout(300);
    await page.screenshot({ path: `${screens}/${name}-${state}-${look.name}.jpg`, type: "jpeg", quality: 72 });
  }
};

await cases({
  "empty pages": async () => {
    for (const of of LOOKS) {
      const page = await open(of);
      for (const [name, path] of Object.entries(paths.empty)) await look(page, of, "empty", name, path);
      await page.close();
    }
  },

  "full pages": async () => {
    const { run_id } = await api("POST", `/configs/${config_id}/run`, { inputs: { photo: "cat" } });
    assert.equal((await ended(run_id)).status, "completed");
    for (const recipe of ["dog", "invert"]) await ended((await api("POST", "/runs", { recipe, inputs: ["cat"] })).run_id);
    const broken = await api("POST", "/cache/upload?name=broken.gif", "GIF89a and nothing more", "application/octet-stream");
    const failed = await fetch(`${process.env.ARTDAG_URL}/runs`, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ recipe: "invert", inputs: [broken.content_hash] }) });
    if (failed.ok) await ended((await failed.json()).run_id);
    const full = {
      home: "/", runs: "/runs", failures: "/runs?status=failed", run: `/run/${run_id}`, node: `/run/${run_id}?node=print`,
      "run-delete": `/run/${run_id}/delete`, recipes: "/recipes", recipe: `/recipe/${config_id}`, effect: "/recipe/dog?input=cat",
      editor: "/recipes/new", media: "/media", search: "/media?q=cat", medium: "/media/cat", effects: "/effects", storage: "/storage", client: "/client", "log-in": "/auth",
    };
    for (const of of LOOKS) {
      const page = await open(of, { expected: ["404"] });
      await logIn(page);
      for (const [name, path] of Object.entries(full)) await look(page, of, "full", name, path);
      await look(page, of, "full", "not-here", "/nowhere");
      await page.close();
    }
  },
});
