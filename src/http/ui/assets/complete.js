// @ts-check
// Words that fit where the caret is in a recipe: types, effects, their parameters, ids of nodes.

import { make } from "./common.js";

/** @typedef {{name: string, description?: string, choices?: string[], type?: string, params?: Known[]}} Known */
/** @typedef {{word: string, fits: Known[], after: string}} Fitting */

const list = (/** @type {string[]} */ names) => names.map((name) => ({ name }));

const TOP = list(["name", "version", "description", "dag"]);
const DAG = list(["nodes", "output"]);
const NODE = list(["id", "type", "config", "inputs"]);
const SHOWN = 12;

/** @type {Promise<{effects: Known[], types: Known[]}> | undefined} */
let known;
const tables = () =>
  (known ??= Promise.all(["/effects", "/node-types"].map(async (path) => (await fetch(path, { headers: { Accept: "application/json" } })).json())).then(
    ([effects, types]) => ({ effects, types }),
  ));

/**
 * The keys that enclose the end of a text, from the outermost: those of lines that stand further
 * left, and those of open braces and brackets.
 * @param {string} text
 */
export const enclosing = (text) => {
  /** @type {{key: string, indent: number}[]} */
  const block = [];
  /** @type {string[]} */
  const flow = [];
  for (const line of text.split("\n")) {
    const bare = line.replace(/"(?:[^"\\]|\\.)*"|'[^']*'/g, (quoted) => "_".repeat(quoted.length)).replace(/(^|\s)#.*/, "$1");
    const indent = bare.search(/[^\s-]/);
    if (!flow.length && indent >= 0) {
      while (block.length && block[block.length - 1].indent >= indent) block.pop();
      if (/^\s*-/.test(bare)) block.push({ key: "-", indent: bare.indexOf("-") + 1 });
      const key = bare.slice(indent).match(/^([\w-]+):\s*$/)?.[1];
      if (key) block.push({ key, indent });
    }
    for (const [at, char] of [...bare].entries()) {
      if ("{[".includes(char)) flow.push(bare.slice(0, at).match(/([\w-]+):\s*$/)?.[1] ?? char);
      else if ("}]".includes(char)) flow.pop();
    }
  }
  // On a line that is still empty, the place of the caret says what it belongs to.
  const last = text.slice(text.lastIndexOf("\n") + 1);
  if (!flow.length && /^\s*$/.test(last)) while (block.length && block[block.length - 1].indent >= last.length) block.pop();
  return [...block.map((level) => level.key), ...flow];
};

/**
 * What is written of the node that the caret is in.
 * @param {string} text
 * @param {number} caret
 */
const nodeAround = (text, caret) => {
  const starts = [...text.matchAll(/^\s*-\s*\{?\s*id:/gm)].map((found) => found.index ?? 0);
  const begin = starts.filter((start) => start <= caret).pop() ?? caret;
  return text.slice(begin, starts.find((start) => start > caret) ?? text.length);
};

/**
 * What fits at the caret.
 * @param {string} text
 * @param {number} caret
 * @param {{effects: Known[], types: Known[]}} tables
 * @returns {Fitting}
 */
export const fitting = (text, caret, { effects, types }) => {
  const before = text.slice(0, caret);
  const word = before.match(/[\w-]*$/)?.[0] ?? "";
  const upTo = before.slice(0, before.length - word.length);
  const line = upTo.slice(upTo.lastIndexOf("\n") + 1);
  const path = enclosing(upTo);
  const within = path[path.length - 1] ?? "";
  const node = nodeAround(text, caret);
  const type = types.find((type) => type.name === node.match(/\btype:\s*(\w+)/)?.[1]);
  const effect = effects.find((effect) => effect.name === node.match(/\beffect:\s*([\w-]+)/)?.[1]);
  const params = within === "params" ? effect?.params : within === "config" ? type?.params : undefined;
  const ids = [...text.matchAll(/\bid:\s*([\w.-]+)/g)].map((found) => ({ name: found[1] }));
  const key = line.match(/([\w-]+):\s*$/)?.[1];
  const names = (/** @type {Known[] | undefined} */ of, after = "") => ({ word, after, fits: (of ?? []).filter((one) => one.name.startsWith(word) && one.name !== word) });
  if (within === "inputs" && !key) return names(ids.filter(({ name }) => name !== node.match(/\bid:\s*([\w.-]+)/)?.[1]));
  if (key) {
    const of = params?.find((param) => param.name === key);
    if (key === "type") return names(types);
    if (key === "effect") return names(effects);
    if (key === "output") return names(ids);
    if (key === "media") return names(list(["image", "video", "audio"]));
    if (of?.choices) return names(list(of.choices));
    return names(of?.type === "boolean" ? list(["true", "false"]) : []);
  }
  if (!word || !/(^|[{,-])\s*$/.test(line)) return names([]);
  if (params) return names(params, ": ");
  if (!path.length) return names(TOP, ": ");
  if (within === "dag") return names(DAG, ": ");
  return names(within === "-" || within === "{" || within === "nodes" ? NODE : [], ": ");
};

/** Offers what fits below the caret. @param {HTMLTextAreaElement} text */
export const complete = (text) => {
  const box = make("ul", { class: "complete", id: "complete", role: "listbox", "aria-label": "What fits here" });
  box.hidden = true;
  text.after(box);
  for (const [name, value] of Object.entries({ "aria-autocomplete": "list", "aria-controls": "complete" })) text.setAttribute(name, value);
  /** @type {Fitting} */
  let now = { word: "", fits: [], after: "" };
  let chosen = -1;

  const hide = () => {
    box.hidden = true;
    chosen = -1;
    text.removeAttribute("aria-activedescendant");
  };
  const place = () => {
    const style = getComputedStyle(text);
    const lines = text.value.slice(0, text.selectionStart).split("\n");
    const column = lines[lines.length - 1].length - now.word.length;
    box.style.left = `calc(${style.paddingLeft} + ${column}ch - ${text.scrollLeft}px)`;
    box.style.top = `${text.offsetTop + parseFloat(style.paddingTop) + lines.length * parseFloat(style.lineHeight) - text.scrollTop + 2}px`;
  };
  /** @param {number} at */
  const choose = (at) => {
    chosen = (at + box.children.length) % box.children.length;
    [...box.children].forEach((item, index) => item.setAttribute("aria-selected", String(index === chosen)));
    text.setAttribute("aria-activedescendant", `fit-${chosen}`);
    box.children[chosen].scrollIntoView({ block: "nearest" });
  };
  /** @param {number} at */
  const take = (at) => {
    const end = text.selectionStart;
    text.setRangeText(now.fits[at].name + now.after, end - now.word.length, end, "end");
    hide();
    text.dispatchEvent(new InputEvent("input", { bubbles: true, data: "" }));
  };
  const offer = async (asked = false) => {
    const tellable = await tables().catch(() => null);
    if (!tellable || text.selectionStart !== text.selectionEnd) return hide();
    now = fitting(text.value, text.selectionStart, tellable);
    now.fits = now.fits.slice(0, SHOWN);
    const inValue = now.after === "";
    if (!now.fits.length || (!asked && !now.word && !inValue)) return hide();
    box.replaceChildren(
      ...now.fits.map(({ name, description }, index) =>
        make("li", { role: "option", id: `fit-${index}`, "aria-selected": "false" }, [make("strong", {}, [name]), ...(description ? [` ${description}`] : [])]),
      ),
    );
    chosen = -1;
    box.hidden = false;
    place();
  };

  text.addEventListener("input", (event) => void (event instanceof InputEvent && event.data === "" ? hide() : offer()));
  text.addEventListener("blur", hide);
  text.addEventListener("scroll", hide);
  text.addEventListener("click", hide);
  text.addEventListener("keydown", (event) => {
    if (event.key === " " && event.ctrlKey) {
      event.preventDefault();
      return void offer(true);
    }
    if (box.hidden || event.ctrlKey || event.metaKey) return;
    if (event.key === "ArrowDown") choose(chosen + 1);
    else if (event.key === "ArrowUp") choose(chosen < 0 ? -1 : chosen - 1);
    else if (event.key === "Escape") hide();
    else if (event.key === "Tab" && !event.shiftKey) take(Math.max(0, chosen));
    else if (event.key === "Enter" && chosen >= 0) take(chosen);
    else return void (["ArrowLeft", "ArrowRight", "Home", "End"].includes(event.key) && hide());
    event.preventDefault();
    event.stopPropagation();
  });
  box.addEventListener("pointerdown", (event) => {
    event.preventDefault();
    const item = event.target instanceof Element ? event.target.closest("li") : null;
    if (item) take([...box.children].indexOf(item));
  });
};
