// @ts-check
// Many chosen at once.

import { all, one } from "./common.js";

const form = one("[data-select]");
const head = /** @type {HTMLInputElement | null} */ (form && one("[data-all]", form));

const picks = () => /** @type {HTMLInputElement[]} */ (form ? all(".pick", form) : []);

const count = () => {
  const chosen = picks().filter((pick) => pick.checked).length;
  const words = form && one("[data-chosen]", form);
  if (words) words.textContent = chosen ? `${chosen} chosen:` : "Choose all";
  for (const button of form ? all("button[name=action]", form) : []) button.toggleAttribute("disabled", !chosen);
  if (!head) return;
  head.checked = chosen > 0 && chosen === picks().length;
  head.indeterminate = chosen > 0 && !head.checked;
};

if (form && head) {
  head.hidden = false;
  head.addEventListener("change", () => {
    for (const pick of picks()) pick.checked = head.checked;
    count();
  });
  form.addEventListener("change", count);
  document.addEventListener("artdag:fresh", count);
  count();
}
