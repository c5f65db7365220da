// @ts-check
// The form that runs a recipe: media chosen by a click or a drop, sliders that say their value,
// and what a run would do, told while the form is filled in.

import { all, make, one, refusal, seldom } from "./common.js";
import { preview } from "./preview.js";
import { send } from "./upload.js";

const form = /** @type {HTMLFormElement | null} */ (one("[data-recipe]"));

/**
 * Shows what is chosen for an input.
 * @param {HTMLElement} field
 * @param {string} [hash]
 * @param {string} [type]
 */
const picture = (field, hash, type) => {
  const box = one("[data-picked] .thumb", field);
  if (!box) return;
  const known = hash && (type ?? "image/").startsWith("image/");
  box.replaceChildren(known ? make("img", { src: `/thumb/${hash}`, alt: "", width: "320", height: "240" }) : make("span", { class: "none" }));
};

/**
 * Writes a medium into an input; into a list it is added.
 * @param {HTMLElement} field
 * @param {string} word
 */
const choose = (field, word) => {
  const text = /** @type {HTMLInputElement | null} */ (one("input[type=text]", field));
  if (!text) return;
  const more = field.hasAttribute("data-list") && text.value.trim() !== "";
  text.value = more ? `${text.value.replace(/\s*,?\s*$/, "")}, ${word}` : word;
  text.dispatchEvent(new Event("input", { bubbles: true }));
};

/** Looks up what is written in an input, and shows it. @param {HTMLElement} field */
const look = async (field) => {
  const text = /** @type {HTMLInputElement | null} */ (one("input[type=text]", field));
  const word = text?.value.split(",").pop()?.trim() ?? "";
  if (!word) return picture(field);
  const answer = await fetch(`/cache/${encodeURIComponent(word)}/info`);
  if (!answer.ok) return picture(field);
  const told = await answer.json();
  picture(field, told.width ? told.content_hash : undefined, told.media_type);
};

let asked = 0;
const plan = async () => {
  const place = form && one("[data-plan]", form);
  if (!form || !place) return;
  const missing = all("[data-input] input[type=text]", form).some((input) => !(/** @type {HTMLInputElement} */ (input).value.trim()));
  if (missing) {
    place.textContent = "Choose the inputs, and what a run would do is told here.";
    return;
  }
  const turn = ++asked;
  const body = new URLSearchParams(/** @type {any} */ (new FormData(form)));
  const answer = await fetch(`/recipe/${form.dataset.recipe}/plan`, { method: "POST", body });
  if (turn !== asked) return;
  place.classList.toggle("error", !answer.ok);
  if (!answer.ok) {
    place.textContent = await refusal(answer);
    return;
  }
  const told = await answer.json();
  place.replaceChildren(told.words, " ", make("button", { class: "link", type: "button", "data-copy": told.curl }, ["Copy as curl"]));
  for (const [node, state] of Object.entries(told.nodes)) {
    one(`[data-node="${CSS.escape(node)}"]`)?.setAttribute("class", `node s-${state === "cached" ? "cached" : "none"}`);
  }
};

const tryOut = () => {
  const place = form && one("[data-result]", form);
  const named = all("[data-input] input[type=text]", form ?? document).every((input) => /** @type {HTMLInputElement} */ (input).value.trim());
  if (!place) return;
  if (!named) return place.replaceChildren(make("p", { class: "muted" }, ["Choose the inputs first."]));
  void preview(place, `/recipe/${form.dataset.recipe}/try`, new URLSearchParams(/** @type {any} */ (new FormData(form))));
};

if (form) {
  const live = /** @type {HTMLInputElement | null} */ (one("[data-preview-live]", form));
  const box = one("[data-preview]", form);
  if (box) box.hidden = false;
  one("[data-try-it]", form)?.addEventListener("click", tryOut);
  form.addEventListener("change", (event) => {
    if (live?.checked && event.target instanceof Element && event.target.matches("[name], [data-preview-live]")) tryOut();
  });
  const soon = seldom(() => void plan(), 350);
  form.addEventListener("input", (event) => {
    const target = /** @type {HTMLInputElement} */ (event.target);
    if (target.matches("[data-slider]")) {
      const step = Number(target.dataset.slider);
      const rounded = Math.round(Number(target.value) / step) * step;
      target.value = String(Number(Math.min(Number(target.max), Math.max(Number(target.min), rounded)).toPrecision(9)));
      const output = target.parentElement?.querySelector("output");
      if (output) output.value = target.value;
    }
    const field = /** @type {HTMLElement | null} */ (target.closest("[data-input]"));
    if (field) void look(field);
    soon();
  });
  form.addEventListener("click", (event) => {
    const pick = event.target instanceof Element ? event.target.closest("[data-pick]") : null;
    const field = pick?.closest("[data-input]");
    if (pick && field instanceof HTMLElement) choose(field, pick.getAttribute("data-pick") ?? "");
  });
  for (const field of all("[data-input]", form)) {
    const strip = one("[data-strip]", field);
    if (strip?.children.length) strip.hidden = false;
    field.addEventListener("dragover", (event) => event.preventDefault());
    field.addEventListener("drop", (event) => {
      const files = /** @type {DragEvent} */ (event).dataTransfer?.files;
      if (!files?.length) return;
      event.preventDefault();
      for (const file of files) send(file).then((told) => choose(field, told.content_hash), () => {});
    });
    void look(field);
  }
  void plan();
}
