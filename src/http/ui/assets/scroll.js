// @ts-check
// A grid without an end: the next page comes when the end of the last is near, and pages far away
// are let go until they are near again, so that memory does not grow with the way.

import { all, one } from "./common.js";

const grid = one("[data-scroll]");

/** A page that was let go: where it is had again. @type {WeakMap<Element, string>} */
const from = new WeakMap();

/** @param {string} address */
const load = async (address) => {
  const answer = await fetch(address, { headers: { Accept: "text/html" } });
  if (!answer.ok) throw new Error(String(answer.status));
  return new DOMParser().parseFromString(await answer.text(), "text/html");
};

const near = new IntersectionObserver(
  async (entries) => {
    for (const { target, isIntersecting, boundingClientRect } of entries) {
      const list = /** @type {HTMLElement} */ (target);
      const address = from.get(list);
      if (!address) continue;
      if (!isIntersecting && list.childElementCount) {
        list.style.height = `${boundingClientRect.height}px`;
        list.replaceChildren();
      } else if (isIntersecting && !list.childElementCount) {
        const page = await load(address).catch(() => null);
        const fresh = page && one("#grid .grid", page);
        if (!fresh) continue;
        list.replaceChildren(...fresh.children);
        list.style.height = "";
      }
    }
  },
  { rootMargin: "3000px" },
);

const end = new IntersectionObserver(
  async (entries) => {
    const more = entries.find((entry) => entry.isIntersecting)?.target;
    const link = more && one("a", more);
    if (!more || !link) return;
    end.unobserve(more);
    const address = link.getAttribute("href") ?? "";
    const page = await load(address).catch(() => null);
    if (!page) return end.observe(more);
    const list = one("#grid .grid", page);
    const next = one("#grid .more", page);
    if (list) {
      from.set(list, address);
      near.observe(list);
    }
    // Where nothing at all was found, that is said in the end.
    const nothing = one(".medium", grid ?? document) ? null : one("#grid .empty", page);
    more.replaceWith(...[list, next, nothing].filter((part) => part !== null));
    if (next) end.observe(next);
  },
  { rootMargin: "1200px" },
);

if (grid) {
  const first = one(".grid", grid);
  if (first) {
    from.set(first, location.href);
    near.observe(first);
  }
  for (const more of all(".more", grid)) end.observe(more);
}

// What was added is shown at once.
document.addEventListener("artdag:uploaded", async () => {
  if (!grid || scrollY > 400) return;
  const page = await load(location.href).catch(() => null);
  const fresh = page && one("#grid .grid", page);
  const shown = one(".grid", grid);
  if (fresh && shown) shown.replaceChildren(...fresh.children);
  else if (fresh) location.reload();
});
