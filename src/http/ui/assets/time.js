// @ts-check
// Times relative to now that go on, with the exact time of this place on hover.

import { all } from "./common.js";

/** @param {Date} time */
const ago = (time) => {
  const seconds = Math.max(0, (Date.now() - time.getTime()) / 1000);
  if (seconds < 5) return "just now";
  if (seconds < 60) return `${Math.floor(seconds)} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h ago`;
  return `${Math.floor(seconds / 86400)} d ago`;
};

const tick = () => {
  for (const element of all("time[data-ago]")) {
    const time = new Date(element.getAttribute("datetime") ?? "");
    if (Number.isNaN(time.getTime())) continue;
    const text = ago(time);
    if (element.textContent !== text) element.textContent = text;
    element.title = time.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "long" });
  }
};

tick();
setInterval(tick, 10_000);
document.addEventListener("artdag:fresh", tick);
