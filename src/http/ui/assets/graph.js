// @ts-check
// A graph larger than its window: drawn larger or smaller, moved by hand or arrows, searched.

import { all, one } from "./common.js";

/** @type {HTMLElement | null} */
const tools = one("[data-graph-tools]");
let scale = 1;

const shown = () => {
  const graph = one("[data-graph]");
  const svg = graph?.querySelector("svg");
  const box = svg?.viewBox.baseVal;
  return graph && svg && box ? { graph, svg, box } : null;
};

const draw = () => {
  const now = shown();
  if (!now) return;
  now.svg.setAttribute("width", String(now.box.width * scale));
  now.svg.setAttribute("height", String(now.box.height * scale));
  now.graph.classList.toggle("small", scale < 0.5);
};

const fit = () => {
  const now = shown();
  if (!now) return;
  scale = Math.min(1, Math.max(0.12, (now.graph.clientWidth - 4) / now.box.width));
  draw();
};

/** @param {number} factor */
const zoom = (factor) => {
  const now = shown();
  if (!now) return;
  const before = scale;
  scale = Math.min(2, Math.max(0.12, scale * factor));
  const { graph } = now;
  const middle = [graph.scrollLeft + graph.clientWidth / 2, graph.scrollTop + graph.clientHeight / 2];
  draw();
  graph.scrollTo((middle[0] * scale) / before - graph.clientWidth / 2, (middle[1] * scale) / before - graph.clientHeight / 2);
};

if (tools && shown()) {
  tools.hidden = false;
  tools.addEventListener("click", (event) => {
    const button = event.target instanceof Element ? event.target.closest("[data-zoom]") : null;
    const way = button?.getAttribute("data-zoom");
    if (way === "0") fit();
    else if (way) zoom(way === "1" ? 1.3 : 1 / 1.3);
  });
  const field = /** @type {HTMLInputElement | null} */ (one("[data-find]", tools));
  field?.addEventListener("input", () => {
    const wanted = field.value.trim().toLowerCase();
    let first = true;
    for (const node of all("[data-node]")) {
      const found = wanted !== "" && (node.dataset.node ?? "").toLowerCase().includes(wanted);
      node.classList.toggle("found", found);
      if (found && first) node.scrollIntoView({ block: "nearest", inline: "center" });
      first &&= !found;
    }
  });
  if ((shown()?.box.width ?? 0) > (shown()?.graph.clientWidth ?? 0)) {
    scale = Math.max(0.55, ((shown()?.graph.clientWidth ?? 0) - 4) / (shown()?.box.width ?? 1));
    draw();
  }
}
document.addEventListener("artdag:fresh", draw);

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
