// @ts-check
// Keeps a page alive: what happens on the server is shown as it happens. A badge tells when the
// connection is lost; when it is back, what was missed is shown, and a new program's pages are
// loaded anew.

import { all, one, refresh, seldom } from "./common.js";

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

const connect = () => {
  source = new EventSource(run ? `/runs/${run}/events` : "/events");
  source.addEventListener("open", async () => {
    if (!lost) return;
    if (await sameProgram().catch(() => true)) {
      setLost(false);
      fresh();
    } else location.reload();
  });
  source.addEventListener("error", () => {
    if (over()) return source?.close();
    setLost(true);
    // A browser gives up on an answer that is an error: go on trying.
    if (source?.readyState === EventSource.CLOSED) setTimeout(() => document.hidden || connect(), 3000);
  });
  source.addEventListener("run", (event) => {
    const told = JSON.parse(/** @type {MessageEvent} */ (event).data);
    const ended = ["completed", "failed", "cancelled"].includes(told.status);
    if (run && ended) {
      one("[data-run-page]")?.setAttribute("data-final", "");
      source?.close();
      setLost(false);
    }
    fresh();
  });
  source.addEventListener("progress", (event) => {
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
    document.dispatchEvent(new CustomEvent("artdag:node", { detail: JSON.parse(/** @type {MessageEvent} */ (event).data) }));
  });
};

// A browser opens few connections to one server: pages that nobody sees leave theirs to others.
document.addEventListener("visibilitychange", () => {
  if (document.hidden) source?.close();
  else if (!over()) {
    connect();
    fresh();
  }
});
if (!over() && !document.hidden) connect();
