// @ts-check
// What every page does: pictures that fail, times that go on, hashes that are copied, keys, uploads.

import { all } from "./common.js";
import "./broken.js";
import "./time.js";
import "./keys.js";
import "./upload.js";

const show = () => all("[data-copy][hidden]").forEach((button) => (button.hidden = false));
show();
document.addEventListener("artdag:fresh", show);

document.addEventListener("click", async (event) => {
  const button = event.target instanceof Element ? event.target.closest("[data-copy]") : null;
  if (!(button instanceof HTMLElement)) return;
  await navigator.clipboard.writeText(button.dataset.copy ?? "");
  button.classList.add("done");
  setTimeout(() => button.classList.remove("done"), 1200);
});
