// @ts-check
// A graph larger than its window: drawn larger or smaller, moved by hand or arrows, searched.
//
// What is drawn keeps its size and is laid out once: it is made larger by a transform, and a sheet
// around it gives the window something to scroll.

import { all, one, seldom } from "./common.js";

/** @type {HTMLFormElement | null} */
const tools = /** @type {any} */ (one("[data-graph-tools]"));
const LEAST = 0.08;
let scale = 1;
/** @type {number | undefined} */
let resting;

const shown = () => {
  const graph = one("[data-graph]");
  const sheet = graph && one(".sheet", graph);
  const svg = sheet?.querySelector("svg");
  const box = svg?.viewBox.baseVal;
  return sheet && svg && box ? { graph, sheet, svg, box } : null;
};

/** Small words are left out once the hand rests: each is laid out anew when it comes or goes. */
const rest = () => {
  const now = shown();
  now?.graph.classList.toggle("small", scale < 0.5);
  now?.graph.classList.toggle("tiny", scale < 0.25);
};

const draw = () => {
  const now = shown();
  if (!now) return;
  now.svg.style.transform = `scale(${scale})`;
  now.sheet.style.width = `${now.box.width * scale}px`;
  now.sheet.style.height = `${now.box.height * scale}px`;
  clearTimeout(resting);
  resting = setTimeout(rest, 150);
};

const fit = () => {
  const now = shown();
  if (!now) return;
  scale = Math.min(1, Math.max(LEAST, (now.graph.clientWidth - 4) / now.box.width));
  draw();
};

/**
 * Draws larger or smaller; what is at a point of the window stays there.
 * @param {number} factor
 * @param {number[]} [at]
 */
const zoom = (factor, at) => {
  const now = shown();
  if (!now) return;
  const before = scale;
  scale = Math.min(2, Math.max(LEAST, scale * factor));
  const { graph } = now;
  const [x, y] = at ?? [graph.clientWidth / 2, graph.clientHeight / 2];
  const [left, top] = [graph.scrollLeft + x, graph.scrollTop + y];
  draw();
  graph.scrollTo((left * scale) / before - x, (top * scale) / before - y);
};

/** Several turns of a wheel within one frame are one step. */
let turned = 1;
/** @type {number[]} */
let where = [];
document.addEventListener(
  "wheel",
  (event) => {
    const graph = event.target instanceof Element ? event.target.closest("[data-graph]") : null;
    // A pinch on a touchpad comes as a wheel with Ctrl.
    if (!tools || !graph || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    const box = graph.getBoundingClientRect();
    if (turned === 1) {
      requestAnimationFrame(() => {
        const factor = turned;
        turned = 1;
        zoom(factor, where);
      });
    }
    turned *= Math.exp(-Math.sign(event.deltaY) * Math.min(60, Math.abs(event.deltaY)) * 0.004);
    where = [event.clientX - box.left, event.clientY - box.top];
  },
  { passive: false },
);

/** @param {string} words */
const address = (words) => {
  const to = new URL(location.href);
  to.searchParams.delete("find");
  if (words) to.searchParams.set("find", words);
  return to.pathname + to.search;
};

/** Brings what was found into sight. */
const show = () => one(".node.found[data-node]")?.scrollIntoView({ block: "nearest", inline: "center" });

if (tools && shown()) {
  const zooms = one("[data-zooms]", tools);
  if (zooms) zooms.hidden = false;
  tools.addEventListener("click", (event) => {
    const button = event.target instanceof Element ? event.target.closest("[data-zoom]") : null;
    const way = button?.getAttribute("data-zoom");
    if (way === "0") fit();
    else if (way) zoom(way === "1" ? 1.3 : 1 / 1.3);
  });
  const field = /** @type {HTMLInputElement | null} */ (one("[data-find]", tools));
  // What is folded is known to the server: it opens the box of what is searched for.
  const ask = () => document.dispatchEvent(new CustomEvent("artdag:go", { detail: { address: address(field?.value.trim() ?? ""), then: show } }));
  const later = seldom(ask, 300);
  field?.addEventListener("input", () => {
    const wanted = field.value.trim().toLowerCase();
    for (const node of all("[data-node]")) node.classList.toggle("found", wanted !== "" && (node.dataset.node ?? "").toLowerCase().includes(wanted));
    show();
    if (one("[data-pack]") || one(".folding")) later();
  });
  tools.addEventListener("submit", (event) => {
    event.preventDefault();
    ask();
  });
  if ((shown()?.box.width ?? 0) > (shown()?.graph.clientWidth ?? 0)) {
    scale = Math.max(0.55, ((shown()?.graph.clientWidth ?? 0) - 4) / (shown()?.box.width ?? 1));
  }
  draw();
  if (field?.value) show();
}
document.addEventListener("artdag:fresh", () => {
  draw();
  rest();
});

// Dragged by its ground.
document.addEventListener("pointerdown", (event) => {
  const target = event.target instanceof Element ? event.target : null;
  const graph = target?.closest("[data-graph]");
  if (!(graph instanceof HTMLElement) || target?.closest("a") || event.pointerType !== "mouse") return;
  const start = [event.clientX + graph.scrollLeft, event.clientY + graph.scrollTop];
  /** @param {PointerEvent} move */
  const drag = (move) => graph.scrollTo(start[0] - move.clientX, start[1] - move.clientY);
  document.addEventListener("pointermove", drag);
  document.addEventListener("pointerup", () => document.removeEventListener("pointermove", drag), { once: true });
});
