// @ts-check
// A picture before and after, with a slider between the two.

import { all, one } from "./common.js";

const begin = () => {
  for (const figure of all("[data-compare]:not(.on)")) {
    const slider = /** @type {HTMLInputElement | null} */ (one("input", figure));
    const pair = one(".pair", figure);
    if (!slider || !pair) continue;
    figure.classList.add("on");
    slider.hidden = false;
    const cut = () => figure.style.setProperty("--cut", `${slider.value}%`);
    slider.value = "50";
    slider.addEventListener("input", cut);
    cut();
    /** @param {PointerEvent} event */
    const move = (event) => {
      if (!event.buttons) return;
      const box = pair.getBoundingClientRect();
      slider.value = String(((event.clientX - box.left) / box.width) * 100);
      cut();
    };
    pair.addEventListener("pointerdown", move);
    pair.addEventListener("pointermove", move);
    pair.addEventListener("dragstart", (event) => event.preventDefault());
  }
};

begin();
document.addEventListener("artdag:fresh", begin);
