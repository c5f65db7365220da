// @ts-check
// The page of a run: nodes change as they are told of, and a node's panel opens in its place.

import { all, one, refresh } from "./common.js";

document.addEventListener("artdag:node", (event) => {
  const { node, state } = /** @type {CustomEvent} */ (event).detail;
  const drawn = one(`[data-node="${CSS.escape(node)}"]`);
  if (drawn) {
    const chosen = drawn.classList.contains("chosen") ? " chosen" : "";
    drawn.setAttribute("class", `node s-${state}${chosen}`);
    const title = drawn.querySelector("title");
    if (title) title.textContent = `${node} · ${drawn.dataset.kind} · ${state}`;
    const kind = drawn.querySelector(".kind");
    if (kind) kind.textContent = `${drawn.dataset.kind} · ${state}`;
    drawn.querySelector(".sign")?.setAttribute("href", `#i-${state}`);
  }
  const cell = one(`[data-row="${CSS.escape(node)}"] [data-state]`);
  if (!cell) return;
  const badge = cell.querySelector(".state");
  badge?.setAttribute("class", `state s-${state}`);
  const word = badge?.querySelector("span");
  if (word) word.textContent = state;
  cell.querySelector("path")?.setAttribute("d", one(`#i-${state} path`)?.getAttribute("d") ?? "");
});

/** @param {string} address */
const go = async (address) => {
  history.pushState({}, "", address);
  await refresh();
  one("#node")?.scrollIntoView({ block: "nearest" });
};

document.addEventListener("click", (event) => {
  if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  const link = event.target instanceof Element ? event.target.closest("a.node, a[data-close], #nodes a, .panel a.chip") : null;
  const address = link?.getAttribute("href");
  if (!address?.startsWith("/run/")) return;
  event.preventDefault();
  void go(address);
});
addEventListener("popstate", () => void refresh());

// Lines of the node under the pointer or with the focus stand out.
/** @param {Event} event */
const near = (event) => {
  const node = event.target instanceof Element ? event.target.closest("[data-node]") : null;
  const id = node?.getAttribute("data-node");
  for (const line of all(".graph .line")) {
    line.classList.toggle("near", !!id && event.type !== "pointerout" && (line.dataset.from === id || line.dataset.to === id));
  }
};
for (const type of ["pointerover", "pointerout", "focusin"]) document.addEventListener(type, near);
