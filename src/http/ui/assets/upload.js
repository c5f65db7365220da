// @ts-check
// Files added from anywhere: dropped, pasted, or picked. Each is sent as it is; the answer's hash
// is what its content is called from then on.

import { bytes, make, one } from "./common.js";

/** @type {HTMLElement | undefined} */
let list;

const rows = () => {
  if (!list) {
    list = make("ul", {});
    const close = make("button", { class: "button quiet", type: "button" }, ["Close"]);
    const box = make("section", { class: "uploads", "aria-label": "Uploads" }, [make("div", { class: "head" }, [make("h2", {}, ["Uploads"]), close]), list]);
    close.addEventListener("click", () => {
      box.remove();
      list = undefined;
    });
    document.body.append(box);
  }
  return list;
};

/**
 * A name that an asset can have, made of a file's.
 * @param {string} name
 */
const assetName = (name) => (/^[0-9a-f]{64}$/.test(name) || !name ? "" : name.replace(/[/\\\p{Cc}]/gu, "-").slice(0, 120));

/** @type {Promise<unknown>} */
let turn = Promise.resolve();

/**
 * Sends a file, one after the other.
 * @param {File} file
 * @returns {Promise<any>}
 */
export const send = (file) => {
  const bar = /** @type {HTMLProgressElement} */ (make("progress", { max: String(Math.max(1, file.size)), value: "0", "aria-label": `Upload of ${file.name}` }));
  const words = make("span", { class: "muted", role: "status" }, ["waiting"]);
  rows().append(make("li", {}, [make("strong", {}, [file.name || "pasted"]), bar, words]));
  const sent = turn.then(() => transfer(file, bar, words));
  turn = sent.catch(() => {});
  return sent;
};

/**
 * @param {File} file
 * @param {HTMLProgressElement} bar
 * @param {HTMLElement} words
 */
const transfer = (file, bar, words) =>
  new Promise((resolve, reject) => {
    const name = assetName(file.name);
    const request = new XMLHttpRequest();
    const began = Date.now();
    request.open("POST", `/cache/upload${name ? `?name=${encodeURIComponent(name)}` : ""}`);
    request.setRequestHeader("Content-Type", "application/octet-stream");
    request.upload.addEventListener("progress", (event) => {
      bar.value = event.loaded;
      const seconds = Math.max(0.2, (Date.now() - began) / 1000);
      const speed = event.loaded / seconds;
      const left = (file.size - event.loaded) / Math.max(1, speed);
      words.textContent = event.loaded < file.size ? `${bytes(event.loaded)} of ${bytes(file.size)}, ${bytes(speed)}/s, ${Math.ceil(left)} s left` : "being checked";
    });
    /** @param {string} why */
    const fail = (why) => {
      words.textContent = why;
      words.className = "error";
      reject(new Error(why));
    };
    request.addEventListener("error", () => fail("the connection was lost; add the file again"));
    request.addEventListener("load", () => {
      /** @type {any} */
      let told = {};
      try {
        told = JSON.parse(request.responseText);
      } catch {
        // What is no JSON says nothing.
      }
      const taken = request.status === 401 || request.status === 403 || request.status === 409;
      if (request.status >= 300 && taken && name && !words.dataset.again) {
        // The name is another's already: the content is sent without one.
        words.dataset.again = "yes";
        transfer(new File([file], ""), bar, words).then(resolve, reject);
        return;
      }
      if (request.status >= 300) return fail(typeof told.detail === "string" ? told.detail : `the server answered ${request.status}`);
      bar.value = bar.max;
      words.replaceChildren(words.dataset.again ? "here, without its name, which is another's: " : told.existing ? "already here: " : "added: ", make("a", { href: `/media/${told.content_hash}` }, [told.content_hash.slice(0, 10)]));
      document.dispatchEvent(new CustomEvent("artdag:uploaded", { detail: told }));
      resolve(told);
    });
    request.send(file);
  });

/** @param {Iterable<File>} files */
const sendAll = (files) => {
  for (const file of files) send(file).catch(() => {});
};

/** @param {DragEvent} event */
const hasFiles = (event) => event.dataTransfer?.types.includes("Files");
document.addEventListener("dragover", (event) => {
  if (!hasFiles(event)) return;
  event.preventDefault();
  document.body.classList.add("dropping");
});
document.addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) document.body.classList.remove("dropping");
});
document.addEventListener("drop", (event) => {
  document.body.classList.remove("dropping");
  if (event.defaultPrevented || !hasFiles(event)) return;
  event.preventDefault();
  sendAll(event.dataTransfer?.files ?? []);
});
document.addEventListener("paste", (event) => {
  const target = event.target instanceof Element ? event.target : null;
  const files = event.clipboardData?.files;
  if (!files?.length || target?.closest("textarea")) return;
  event.preventDefault();
  sendAll(files);
});

one("[data-upload]")?.addEventListener("click", (event) => {
  event.preventDefault();
  const picker = /** @type {HTMLInputElement} */ (make("input", { type: "file", multiple: "" }));
  picker.addEventListener("change", () => sendAll(picker.files ?? []));
  picker.click();
});
