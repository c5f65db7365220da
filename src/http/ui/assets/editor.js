// @ts-check
// Writing a recipe: problems and graph beside the text as it is written, and the text tried on a
// picture.

import { one, seldom } from "./common.js";
import { complete } from "./complete.js";
import { preview } from "./preview.js";

const form = /** @type {HTMLFormElement | null} */ (one("[data-editor]"));
const text = /** @type {HTMLTextAreaElement | null} */ (one("#yaml"));

const fields = () => new URLSearchParams(/** @type {any} */ (new FormData(form ?? undefined)));

let asked = 0;
const check = async () => {
  const turn = ++asked;
  const answer = await fetch("/recipes/check", { method: "POST", body: fields() });
  const beside = one("#beside");
  if (turn !== asked || !answer.ok || !beside) return;
  const parts = new DOMParser().parseFromString(await answer.text(), "text/html").body.childNodes;
  beside.replaceChildren(...parts);
};

/** Puts the caret at the beginning of a line. @param {number} line */
const toLine = (line) => {
  if (!text) return;
  const at = text.value.split("\n").slice(0, line - 1).join("\n").length + (line > 1 ? 1 : 0);
  text.focus();
  text.setSelectionRange(at, at + (text.value.split("\n")[line - 1]?.length ?? 0));
  text.scrollTop = Math.max(0, (line - 6) * parseFloat(getComputedStyle(text).lineHeight));
};

const tryOut = () => {
  const result = one("[data-result]");
  if (result) void preview(result, "/recipes/try", fields());
};

if (form && text) {
  complete(text);
  text.addEventListener("input", seldom(() => void check(), 300));
  text.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      tryOut();
    }
  });
  form.addEventListener("click", (event) => {
    const target = event.target instanceof Element ? event.target : null;
    const line = target?.closest("[data-to-line]")?.getAttribute("data-to-line");
    if (line) toLine(Number(line));
    const node = target?.closest("a.node")?.getAttribute("href");
    if (node?.startsWith("#line-")) {
      event.preventDefault();
      toLine(Number(node.slice(6)));
    }
    if (target?.closest("[data-try-it]")) tryOut();
  });
  const open = one("[data-open]");
  if (open) open.hidden = false;
  open?.addEventListener("change", async (event) => {
    const file = /** @type {HTMLInputElement} */ (event.target).files?.[0];
    if (!file) return;
    text.value = await file.text();
    void check();
  });
  // A text that is dropped on the field is opened, and not kept as a medium.
  text.addEventListener("drop", async (event) => {
    const file = event.dataTransfer?.files[0];
    if (!file) return;
    event.preventDefault();
    text.value = await file.text();
    void check();
  });
  const trying = one("[data-try]");
  if (trying) trying.hidden = false;
}
