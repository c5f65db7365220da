// @ts-check
// A picture that cannot be shown has the icon of its kind and words in its place, not the browser's broken one.

import { make } from "./common.js";

const SVG = "http://www.w3.org/2000/svg";

/** @param {string} kind */
const icon = (kind) => {
  const drawn = document.createElementNS(SVG, "svg");
  const use = document.createElementNS(SVG, "use");
  drawn.setAttribute("class", "icon");
  drawn.setAttribute("viewBox", "0 0 16 16");
  drawn.setAttribute("aria-hidden", "true");
  use.setAttribute("href", `#k-${kind}`);
  drawn.append(use);
  return drawn;
};

/** @param {HTMLImageElement} picture */
const tell = (picture) => {
  const film = picture.dataset.kind === "video";
  const words = film ? "This film has no picture that can be shown" : "This picture cannot be shown";
  const box = make("span", { class: `broken ${picture.className}`, title: words }, [
    icon(film ? "video" : "image"),
    make("span", {}, [words]),
  ]);
  const [wide, high] = [picture.getAttribute("width"), picture.getAttribute("height")];
  // It takes the room that the picture would have had: nothing around it moves.
  if (wide && high && !picture.closest(".thumb")) {
    box.style.width = `${wide}px`;
    box.style.aspectRatio = `${wide} / ${high}`;
  }
  picture.replaceWith(box);
};

// Such an event does not rise, but it can be heard on its way down.
document.addEventListener("error", (event) => event.target instanceof HTMLImageElement && tell(event.target), true);
// Those that had failed before.
for (const picture of [...document.images]) if (picture.complete && picture.currentSrc && !picture.naturalWidth) tell(picture);
