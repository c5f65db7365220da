// @ts-check
// What comes out of a form: run, followed to its end, and shown in its place.

import { make, refusal } from "./common.js";

/** @type {EventSource | undefined} */
let watched;
let asked = 0;

/**
 * Has a form run, and shows what comes out.
 * @param {HTMLElement} place
 * @param {string} address
 * @param {URLSearchParams} body
 */
export const preview = async (place, address, body) => {
  const turn = ++asked;
  watched?.close();
  place.setAttribute("aria-busy", "true");
  /** @param {(Node | string)[]} parts */
  const show = (parts) => {
    place.removeAttribute("aria-busy");
    place.replaceChildren(...parts);
  };
  /** @param {string} words */
  const say = (words) => show([make("p", { class: "error", role: "alert" }, [words])]);
  if (!place.querySelector("img, video, audio")) place.replaceChildren(make("p", { class: "muted" }, ["Rendering…"]));
  const answer = await fetch(address, { method: "POST", body });
  if (turn !== asked) return;
  if (!answer.ok) return say(await refusal(answer));
  const { run_id } = await answer.json();
  const source = new EventSource(`/runs/${run_id}/events`);
  watched = source;
  source.addEventListener("run", async (event) => {
    const run = JSON.parse(/** @type {MessageEvent} */ (event).data);
    if (!["completed", "failed", "cancelled"].includes(run.status)) return;
    source.close();
    if (turn !== asked) return;
    if (run.status !== "completed") return say(run.error ?? run.status);
    const kind = (run.output_media_type ?? "").split("/")[0];
    const at = `/cache/${run.output_hash}`;
    const shown =
      kind === "image" ? make("img", { src: at, alt: "What came out" })
      : kind === "video" || kind === "audio" ? make(kind, { src: at, controls: "" })
      : make("a", { href: at }, ["What came out"]);
    // Decoded before it is shown, so that nothing flickers.
    if (shown instanceof HTMLImageElement) await shown.decode().catch(() => {});
    if (turn === asked) show([shown, make("a", { class: "button quiet", href: `/run/${run_id}` }, ["The run"])]);
  });
};
