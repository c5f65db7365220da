// The interactive description of the API, folded and unfolded, on a phone and on a desk, by light
// and dark: nobody is shut out of it, it fits, and it leads back.

import { LOOKS, accessible, assert, cases, open } from "./support.mjs";

/** As elsewhere, but the dark phone is as narrow as the light one. */
const looks = LOOKS.map((look) => (look.name === "phone-dark" ? { ...look, viewport: { width: 320, height: 640 } } : look));

const operation = (page, id) => page.locator(`.opblock[id$="-${id}"]`);

const unfold = async (page, id) => {
  await operation(page, id).locator(".opblock-summary-control").click();
  await operation(page, id).locator(".opblock-body .execute").waitFor();
};

/** All that an operation's schema and answers can show. */
const schemas = async (page) => {
  for (const tab of await page.locator('.tablinks[data-name="model"]').all()) await tab.click();
  await page.locator(".opblock .json-schema-2020-12-expand-deep-button").first().click();
  await page.locator(".opblock .json-schema-2020-12-body:not(.json-schema-2020-12-body--collapsed)").first().waitFor();
};

const checked = async (look) => {
  const page = await open(look);
  const check = (state) => accessible(page, `docs, ${state}, ${look.name}`);
  await page.goto("/docs");
  await page.locator(".opblock").first().waitFor();
  await check("folded");

  for (const id of ["list_runs", "submit_run", "put_asset"]) await unfold(page, id);
  const runs = operation(page, "list_runs");
  await check("unfolded");
  assert.equal(await runs.getByLabel("status").count(), 1, "a choice is named by its parameter");

  // Fields can be filled in from the start; that ends, and begins again.
  const tried = runs.locator(".try-out__btn");
  await tried.filter({ hasText: "Cancel" }).click();
  await check("only read");
  await tried.filter({ hasText: "Try it out" }).click();
  await runs.locator(".execute").click();
  await runs.locator(".live-responses-table").waitFor();
  await check("tried out");

  await schemas(page);
  await check("schemas");

  await page.locator(".btn.authorize").click();
  await page.locator(".modal-ux").waitFor();
  await check("asked for a token");
  await page.getByRole("button", { name: "Close" }).first().click();

  await page.locator("body > header").getByRole("link", { name: "artdag", exact: true }).click();
  await page.waitForURL((address) => address.pathname === "/");
  await page.close();
};

await cases({
  ...Object.fromEntries(looks.map((look) => [`docs, ${look.name}`, () => checked(look)])),

  "an address unfolds its operation": async () => {
    const page = await open();
    await page.goto("/docs#/runs/submit_run");
    await operation(page, "submit_run").locator(".opblock-body").waitFor();
    await operation(page, "list_runs").locator(".opblock-summary-control").click();
    await page.waitForURL((address) => address.hash === "#/runs/list_runs");
    await page.close();
  },

  "the system's wish for the dark is followed as it changes": async () => {
    const page = await open();
    await page.goto("/docs");
    await page.locator(".opblock").first().waitFor();
    await page.emulateMedia({ colorScheme: "dark" });
    await page.locator("html.dark-mode").waitFor();
    await accessible(page, "docs, turned dark");
    await page.close();
  },
});
