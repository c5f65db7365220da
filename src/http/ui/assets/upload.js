// @ts-check
// Files added from anywhere: dropped, pasted, or picked. Each is hashed first, and not sent if it is
// here; else it is sent in parts (tus 1.0), so that one goes on after a lost connection, and after
// the page was loaded again.

import { bytes, make, one, refusal } from "./common.js";

const PART = 8 << 20;
const PATIENCE = 9;
const PROTOCOL = { "Tus-Resumable": "1.0.0" };

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

/** @param {Uint8Array} data */
const base64 = (data) => btoa(String.fromCharCode(...data));

/** What a file is known by after the page was loaded again. @param {File} file */
const memory = (file) => `upload:${file.name}:${file.size}:${file.lastModified}`;

/** Refused for good: the same would be refused again. */
class Refused extends Error {}

/** @type {Worker | undefined} */
let hasher;
/** Are there no workers here? Then files are sent without being hashed before. */
let unhashed = false;
let asked = 0;

/**
 * The name that a file's content has here; empty where it cannot be found out.
 * @param {File} file
 * @param {(done: number) => void} tell
 * @returns {Promise<string>}
 */
const hashOf = (file, tell) =>
  new Promise((resolve) => {
    if (unhashed) return resolve("");
    try {
      hasher ??= new Worker(new URL("./hasher.js", import.meta.url), { type: "module" });
    } catch {
      unhashed = true;
      return resolve("");
    }
    const worker = hasher;
    const id = (asked += 1);
    /** @param {string} hash */
    const end = (hash) => {
      worker.removeEventListener("message", hear);
      resolve(hash);
    };
    /** @param {MessageEvent<{id: number, done?: number, hash?: string}>} event */
    const hear = ({ data }) => {
      if (data.id !== id) return;
      if (data.done !== undefined) tell(data.done);
      else end(data.hash ?? "");
    };
    worker.addEventListener("message", hear);
    const fail = () => {
      unhashed = true;
      end("");
    };
    for (const trouble of ["error", "messageerror"]) worker.addEventListener(trouble, fail, { once: true });
    worker.postMessage({ id, file });
  });

/** Where an upload is, and what it has become. @param {Response | XMLHttpRequest} answer */
const where = (answer) => {
  /** @param {string} name */
  const said = (name) => (answer instanceof XMLHttpRequest ? answer.getResponseHeader(name) : answer.headers.get(name));
  return { offset: Number(said("Upload-Offset")), hash: said("Upload-Content-Hash"), existing: said("Upload-Existing") === "true" };
};

/**
 * Says that a file comes; what is here already is whole at once.
 * @param {File} file
 * @param {string} hash of its content, if that is known
 */
const begin = async (file, hash) => {
  /** @param {string} key @param {string} value */
  const pair = (key, value) => (value ? [`${key} ${base64(new TextEncoder().encode(value))}`] : []);
  const metadata = [...pair("filename", assetName(file.name)), ...pair("blake3", hash)].join(",");
  const headers = { ...PROTOCOL, "Upload-Length": String(file.size), ...(metadata ? { "Upload-Metadata": metadata } : {}) };
  const answer = await fetch("/uploads", { method: "POST", headers });
  if (!answer.ok) throw new Error(await refusal(answer));
  const address = answer.headers.get("Location") ?? "";
  localStorage.setItem(memory(file), address);
  return { address, ...where(answer) };
};

/** @param {string} address */
const ask = async (address) => {
  const answer = await fetch(address, { method: "HEAD", headers: PROTOCOL });
  return answer.ok ? { address, ...where(answer) } : null;
};

/**
 * Sends a part, with its checksum where the browser can make one.
 * @param {string} address
 * @param {Blob} part
 * @param {number} offset
 * @param {(sent: number) => void} tell
 * @returns {Promise<ReturnType<typeof where>>}
 */
const patch = async (address, part, offset, tell) => {
  const checksum = globalThis.crypto?.subtle && new Uint8Array(await crypto.subtle.digest("SHA-256", await part.arrayBuffer()));
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("PATCH", address);
    const headers = { ...PROTOCOL, "Upload-Offset": String(offset), "Content-Type": "application/offset+octet-stream" };
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    if (checksum) request.setRequestHeader("Upload-Checksum", `sha256 ${base64(checksum)}`);
    request.upload.addEventListener("progress", (event) => tell(event.loaded));
    request.addEventListener("error", () => reject(new Error("the connection was lost")));
    request.addEventListener("load", async () => {
      if (request.status < 300) return resolve(where(request));
      const why = await refusal({ status: request.status, json: async () => JSON.parse(request.responseText) });
      const later = [409, 423, 429, 460].includes(request.status) || request.status >= 500;
      reject(request.status === 507 || !later ? new Refused(why) : new Error(why));
    });
    request.send(part);
  });
};

/**
 * Sends a file to its end, however often the connection is lost.
 * @param {File} file
 * @param {(sent: number, words?: string) => void} tell
 */
const transfer = async (file, tell) => {
  const known = localStorage.getItem(memory(file));
  const hash = known ? "" : await hashOf(file, (done) => tell(0, `hashing, ${Math.floor((100 * done) / Math.max(1, file.size))} %`));
  let now = (known && (await ask(known).catch(() => null))) || (await begin(file, hash));
  let lost = 0;
  while (!now.hash) {
    const { address, offset } = now;
    try {
      now = { address, ...(await patch(address, file.slice(offset, offset + PART), offset, (sent) => tell(offset + sent))) };
      lost = 0;
    } catch (error) {
      if (error instanceof Refused || ++lost > PATIENCE) throw error;
      tell(offset, "the connection was lost; it goes on by itself");
      await new Promise((resolve) => setTimeout(resolve, Math.min(10_000, 250 * 2 ** lost)));
      now = (await ask(address).catch(() => null)) ?? now;
    }
  }
  localStorage.removeItem(memory(file));
  // It is told of, and need not be remembered.
  void fetch(now.address, { method: "DELETE", headers: PROTOCOL }).catch(() => {});
  if (hash && now.hash !== hash) throw new Error("what arrived is not what was hashed: the file was changed meanwhile; send it again");
  return { content_hash: now.hash, existing: now.existing };
};

/** @type {Promise<unknown>} */
let turn = Promise.resolve();

/**
 * Sends a file, one after the other, and shows how far it is.
 * @param {File} file
 * @returns {Promise<{content_hash: string, existing: boolean}>}
 */
export const send = (file) => {
  const bar = /** @type {HTMLProgressElement} */ (make("progress", { max: String(Math.max(1, file.size)), value: "0", "aria-label": `Upload of ${file.name}` }));
  const words = make("span", { class: "muted", role: "status" }, ["waiting"]);
  rows().append(make("li", {}, [make("strong", {}, [file.name || "pasted"]), bar, words]));
  let began = 0;
  let first = 0;
  /** @param {number} sent @param {string} [trouble] */
  const tell = (sent, trouble) => {
    bar.value = sent;
    if (trouble) {
      words.textContent = trouble;
      return;
    }
    if (!began) [began, first] = [Date.now(), sent];
    const speed = (sent - first) / Math.max(0.2, (Date.now() - began) / 1000);
    const left = Math.ceil((file.size - sent) / Math.max(1, speed));
    words.textContent = sent < file.size ? `${bytes(sent)} of ${bytes(file.size)}, ${bytes(speed)}/s, ${left} s left` : "being checked";
  };
  const sent = turn.then(() => transfer(file, tell)).then(
    (told) => {
      bar.value = bar.max;
      words.replaceChildren(told.existing ? "already here: " : "added: ", make("a", { href: `/media/${told.content_hash}` }, [told.content_hash.slice(0, 10)]));
      document.dispatchEvent(new CustomEvent("artdag:uploaded", { detail: told }));
      return told;
    },
    (error) => {
      words.textContent = error.message;
      words.className = "error";
      throw error;
    },
  );
  turn = sent.catch(() => {});
  return sent;
};
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
