// @ts-check
// Keeps a page alive: what happens on the server is shown as it happens. A badge tells when the
// connection is lost; when it is back, what was missed is shown, and a new program's pages are
// loaded anew.

import { all, make, one, refresh, seldom } from "./common.js";

const run = one("[data-run-page]")?.dataset.runPage;
const over = () => !!run && one("[data-run-page]")?.hasAttribute("data-final");
const fresh = seldom(() => void refresh().catch(() => {}), 400);

/** @type {EventSource | undefined} */
let source;
let lost = false;

/** @param {boolean} is */
const setLost = (is) => {
  lost = is;
  const badge = one("#lost");
  if (badge) badge.hidden = !is;
};

/** Is the server still the program that made this page? */
const sameProgram = async () => {
  const answer = await fetch("/version");
  if (!answer.ok) return true;
  return (await answer.json()).build === one("meta[name=artdag-build]")?.getAttribute("content");
};

/** What is shown was deleted: the page says so, and offers nothing more to do with it. */
const gone = () => {
  const page = one("[data-run-page]");
  if (!page || page.hasAttribute("data-gone")) return;
  page.setAttribute("data-gone", "");
  source?.close();
  setLost(false);
  one(".actions", page)?.remove();
  page.prepend(make("p", { class: "note", role: "status" }, ["This run was deleted. ", make("a", { href: "/runs" }, ["All runs"])]));
};
document.addEventListener("artdag:gone", gone);
const isGone = () => !!one("[data-gone]");

const connect = () => {
  // Of a run that has ended there is nothing more to tell but that it was deleted, which all are told.
  const of = over() ? undefined : run;
  const opened = (source = new EventSource(of ? `/runs/${of}/events` : "/events"));
  source.addEventListener("open", async () => {
    if (!lost) return;
    if (await sameProgram().catch(() => true)) {
      setLost(false);
      fresh();
    } else location.reload();
  });
  source.addEventListener("error", () => {
    if (opened !== source) return opened.close();
    setLost(true);
    // A browser gives up on an answer that is an error: go on trying.
    if (source?.readyState === EventSource.CLOSED) setTimeout(() => document.hidden || isGone() || connect(), 3000);
  });
  source.addEventListener("deleted", (event) => {
    const told = JSON.parse(/** @type {MessageEvent} */ (event).data);
    if (told.run_id === run) return gone();
    all(`[data-run="${told.run_id}"]`).forEach((row) => row.remove());
    if (!run) fresh();
  });
  // What came between is not told any more: the page is asked for as it is now.
  source.addEventListener("missed", () => (!run || of) && fresh());
  source.addEventListener("run", (event) => {
    const told = JSON.parse(/** @type {MessageEvent} */ (event).data);
    if (run && !of) return;
    if (run && ["completed", "failed", "cancelled"].includes(told.status)) {
      one("[data-run-page]")?.setAttribute("data-final", "");
      opened.close();
      setLost(false);
      connect();
    }
    fresh();
  });
  source.addEventListener("progress", (event) => {
    if (run && !of) return;
    const told = JSON.parse(/** @type {MessageEvent} */ (event).data);
    const within = run ? document : all(`[data-run="${told.run_id}"]`)[0];
    const bar = /** @type {HTMLProgressElement | null} */ (within && one("progress", within));
    if (!bar || !within) return;
    bar.max = Math.max(1, told.nodes);
    bar.value = told.fraction * told.nodes;
    const count = one(run ? "#count" : "[data-count]", within);
    if (!count) return;
    count.textContent = run ? `${told.done} of ${told.nodes} nodes` : `${told.done}/${told.nodes}`;
    if (run && told.of_frames) count.textContent += ` · ${told.node}: frame ${told.frames} of ${told.of_frames}`;
    if (run && told.node_fraction > 0.02) count.textContent += `, about ${Math.ceil(told.seconds_left)} s left`;
  });
  source.addEventListener("node", (event) => {
    if (run && !of) return;
    document.dispatchEvent(new CustomEvent("artdag:node", { detail: JSON.parse(/** @type {MessageEvent} */ (event).data) }));
  });
};

// A browser opens few connections to one server: pages that nobody sees leave theirs to others.
document.addEventListener("visibilitychange", () => {
  if (document.hidden) source?.close();
  else if (!isGone()) {
    connect();
    fresh();
  }
});
if (!document.hidden) connect();
