// @ts-check
// The page of a run: nodes change as they are told of, and a node's panel opens in its place.

import { all, one, refresh, seldom } from "./common.js";

/** A node that is folded into a box: the server counts what is in it. */
const counted = seldom(() => void refresh().catch(() => {}), 2500);

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
  if (!drawn && !cell && one("[data-pack]")) counted();
  if (!cell) return;
  const badge = cell.querySelector(".state");
  badge?.setAttribute("class", `state s-${state}`);
  const word = badge?.querySelector("span");
  if (word) word.textContent = state;
  cell.querySelector("path")?.setAttribute("d", one(`#i-${state} path`)?.getAttribute("d") ?? "");
});

/** @param {string} address @param {string} [into] what is brought into sight */
const go = async (address, into) => {
  history.pushState({}, "", address);
  await refresh();
  if (into) one(into)?.scrollIntoView({ block: "nearest" });
};

document.addEventListener("artdag:go", async (event) => {
  const { address, then } = /** @type {CustomEvent} */ (event).detail;
  history.replaceState({}, "", address);
  await refresh();
  then();
});

document.addEventListener("click", async (event) => {
  if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  const link = event.target instanceof Element ? event.target.closest("a.node, a[data-close], a[data-fold], #nodes a, .panel a.chip") : null;
  const address = link?.getAttribute("href");
  if (!address?.startsWith("/run/")) return;
  event.preventDefault();
  const opened = link?.matches("[data-fold], [data-pack], [data-pack-row]");
  const known = new Set(opened ? all(".graph [data-node]").map((node) => node.dataset.node) : []);
  await go(address, opened ? undefined : "#node");
  // Who opened a box by a key goes on in it.
  if (!opened) return;
  const within = link?.closest("#nodes") ? all("#nodes tr[data-row]") : all(".graph [data-node]");
  const first = within.find((node) => !known.has(node.dataset.row ?? node.dataset.node));
  const focus = first?.matches("tr") ? one("a", first) : first;
  focus?.focus({ preventScroll: true });
  first?.scrollIntoView({ block: "nearest", inline: "nearest" });
});
addEventListener("popstate", () => void refresh());

// Lines of the node under the pointer or with the focus stand out.
/** @type {HTMLElement[]} */
let lit = [];
/** @param {Event} event */
const near = (event) => {
  const at = event.target instanceof Element ? event.target.closest("[data-at]")?.getAttribute("data-at") : null;
  lit.forEach((line) => line.classList.remove("near"));
  lit = at && event.type !== "pointerout" ? all(`.graph [data-from="${at}"], .graph [data-to="${at}"]`) : [];
  lit.forEach((line) => line.classList.add("near"));
};
for (const type of ["pointerover", "pointerout", "focusin"]) document.addEventListener(type, near);
