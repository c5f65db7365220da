// Every page, by light and dark, on a phone and on a desk: nobody is shut out of it, and it fits.
// With ARTDAG_SCREENS a picture of each is kept there (`tests/screens.sh`).

import { dot, fan } from "./large.mjs";
import { LOOKS, accessible, api, assert, cases, ended, logIn, open } from "./support.mjs";

const screens = process.env.ARTDAG_SCREENS;
const { config_id } = await api("POST", "/configs/upload", process.env.ARTDAG_RECIPE, "application/yaml");

/** A film that ffmpeg makes, with an effect of ours in it. */
const FILM = `
name: title
dag:
  nodes:
    - {id: pattern, type: GENERATE, config: {kind: pattern, width: 640, height: 360, duration: 2}}
    - {id: words, type: GENERATE, config: {kind: text, width: 640, height: 360, text: artdag, duration: 2}}
    - {id: laid, type: LAYER, inputs: [pattern, words]}
    - {id: dark, type: EFFECT, config: {effect: invert}, inputs: [laid]}
    - {id: small, type: RESIZE, config: {width: 320, height: 180}, inputs: [dark]}
  output: {node: small, format: mp4}
`;

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
    const film = await api("POST", "/configs/upload", FILM, "application/yaml");
    const shown = (await api("POST", `/configs/${film.config_id}/run`, {})).run_id;
    assert.equal((await ended(shown)).status, "completed");
    await dot();
    const fanned = await api("POST", "/configs/upload", fan(1000), "application/yaml");
    const large = (await api("POST", `/configs/${fanned.config_id}/run`, {})).run_id;
    assert.equal((await ended(large)).status, "completed");
    const full = {
      home: "/", runs: "/runs", failures: "/runs?status=failed", run: `/run/${run_id}`, node: `/run/${run_id}?node=print`,
      "run-delete": `/run/${run_id}/delete`, recipes: "/recipes", recipe: `/recipe/${config_id}`, effect: "/recipe/dog?input=cat",
      editor: "/recipes/new", media: "/media", search: "/media?q=cat", facets: "/media?kind=image&origin=derived&size=small&side=small&q=invert", nothing: "/media?size=huge&q=nothing", medium: "/media/cat", effects: "/effects", storage: "/storage", api: "/docs", client: "/client", "log-in": "/auth",
      command: `/run/${shown}?node=small#node`, times: `/run/${shown}#timeline`, large: `/run/${large}#run-graph`, opened: `/run/${large}?open=tail0#run-graph`,
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
