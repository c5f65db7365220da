// @ts-check
// Keys: two letters lead to a part of the site, and a question mark tells which.

import { make, one } from "./common.js";

/** @type {Record<string, [string, string]>} */
const parts = {
  h: ["/", "First page"],
  r: ["/runs", "Runs"],
  c: ["/recipes", "Recipes"],
  m: ["/media", "Media"],
  e: ["/effects", "Effects"],
  s: ["/storage", "Storage"],
};

/** @type {HTMLDialogElement | undefined} */
let sheet;

const open = () => {
  if (!sheet) {
    const rows = Object.entries(parts).flatMap(([key, [, name]]) => [
      make("dt", {}, [make("kbd", {}, ["g"]), " ", make("kbd", {}, [key])]),
      make("dd", {}, [name]),
    ]);
    rows.push(
      make("dt", {}, [make("kbd", {}, ["/"])]), make("dd", {}, ["Search"]),
      make("dt", {}, [make("kbd", {}, ["u"])]), make("dd", {}, ["Upload"]),
      make("dt", {}, [make("kbd", {}, ["Ctrl"]), " ", make("kbd", {}, ["V"])]), make("dd", {}, ["Upload what was copied"]),
      make("dt", {}, [make("kbd", {}, ["?"])]), make("dd", {}, ["This sheet"]),
    );
    const close = make("button", { class: "button", value: "close" }, ["Close"]);
    const inside = make("form", { method: "dialog" }, [make("h2", { id: "keys-title" }, ["Keys"]), make("dl", { class: "keys" }, rows), close]);
    sheet = /** @type {HTMLDialogElement} */ (make("dialog", { "aria-labelledby": "keys-title" }, [inside]));
    document.body.append(sheet);
  }
  sheet.showModal();
};

let leading = 0;
document.addEventListener("keydown", (event) => {
  const target = event.target instanceof Element ? event.target : null;
  if (event.ctrlKey || event.metaKey || event.altKey || target?.closest("input, textarea, select, [contenteditable], dialog[open]")) return;
  const led = Date.now() - leading < 1500;
  leading = 0;
  if (led && parts[event.key]) location.href = parts[event.key][0];
  else if (event.key === "g") leading = Date.now();
  else if (event.key === "?") open();
  else if (event.key === "u") one("[data-upload]")?.click();
  else if (event.key === "/") {
    const field = one("main input[type=search]");
    if (!field) return;
    field.focus();
    event.preventDefault();
  }
});

const button = one("[data-keys]");
if (button) {
  button.hidden = false;
  button.addEventListener("click", open);
}
