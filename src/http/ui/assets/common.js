// @ts-check
// What several scripts need.

/**
 * The first element that a selector finds.
 * @param {string} selector
 * @param {ParentNode} [within]
 * @returns {HTMLElement | null}
 */
export const one = (selector, within = document) => within.querySelector(selector);

/**
 * All elements that a selector finds.
 * @param {string} selector
 * @param {ParentNode} [within]
 * @returns {HTMLElement[]}
 */
export const all = (selector, within = document) => [...within.querySelectorAll(/** @type {any} */ (selector))];

/**
 * An element with attributes and what is in it. Texts never become markup.
 * @param {string} name
 * @param {Record<string, string>} [attributes]
 * @param {(Node | string)[]} [inside]
 * @returns {HTMLElement}
 */
export const make = (name, attributes = {}, inside = []) => {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...inside);
  return element;
};

/**
 * Bytes with a unit.
 * @param {number} count
 */
export const bytes = (count) => {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let unit = 0;
  while (count >= 999.5 && unit + 1 < units.length) {
    count /= 1000;
    unit += 1;
  }
  return `${unit && count < 9.995 ? count.toFixed(2) : unit && count < 99.95 ? count.toFixed(1) : Math.round(count)} ${units[unit]}`;
};

/**
 * Why the server refuses, in words.
 * @param {Response | {status: number, json: () => Promise<any>}} response
 */
export const refusal = async (response) => {
  try {
    const { detail } = await response.json();
    return typeof detail === "string" ? detail : detail.map((/** @type {any} */ one) => one.msg).join("; ");
  } catch {
    return `the server answered ${response.status}`;
  }
};

/**
 * Calls something at most once in a while, the last time too.
 * @param {() => void} what
 * @param {number} milliseconds
 */
export const seldom = (what, milliseconds) => {
  let waiting = false;
  let last = 0;
  return () => {
    if (waiting) return;
    waiting = true;
    setTimeout(
      () => {
        waiting = false;
        last = Date.now();
        what();
      },
      Math.max(0, last + milliseconds - Date.now()),
    );
  };
};

/**
 * The parts of this page that change, as the server sent them: scripts have done something to them since.
 * @type {WeakMap<Element, string>}
 */
const sent = new WeakMap(all("[data-live]").map((part) => [part, part.outerHTML]));

/** Puts the parts of this page that change in the place of those that are shown. */
export const refresh = async () => {
  const address = location.href.split("#")[0];
  const answer = await fetch(address, { headers: { Accept: "text/html" } });
  const text = await answer.text();
  if (answer.status === 404) document.dispatchEvent(new CustomEvent("artdag:gone"));
  // Another address may have been asked for meanwhile, and answered before: this is none of it.
  if (!answer.ok || address !== location.href.split("#")[0]) return;
  const fresh = new DOMParser().parseFromString(text, "text/html");
  for (const shown of all("[data-live]")) {
    const now = shown.id && fresh.getElementById(shown.id);
    if (!now || now.outerHTML === sent.get(shown) || shown.contains(document.activeElement?.closest("input, textarea, select") ?? null)) continue;
    if (keepsPlaying(shown, now)) continue;
    const scrolled = all("[data-graph]", shown).map((graph) => [graph.scrollLeft, graph.scrollTop]);
    const focused = shown.contains(document.activeElement) ? document.activeElement?.getAttribute("href") : null;
    sent.set(now, now.outerHTML);
    shown.replaceWith(document.adoptNode(now));
    all("[data-graph]", now).forEach((graph, at) => scrolled[at] && graph.scrollTo(scrolled[at][0], scrolled[at][1]));
    if (focused) all("[href]", now).find((link) => link.getAttribute("href") === focused)?.focus();
  }
  document.dispatchEvent(new CustomEvent("artdag:fresh"));
};

/**
 * Is a film or sound being looked at that stays the same?
 * @param {HTMLElement} shown
 * @param {HTMLElement} now
 */
const keepsPlaying = (shown, now) => {
  const player = /** @type {HTMLMediaElement | null} */ (one("video, audio", shown));
  return !!player && !player.paused && player.getAttribute("src") === one("video, audio", now)?.getAttribute("src");
};
