// @ts-check
// Hashes files beside the page, which stays quick meanwhile.

import { Hasher } from "./blake3.js";

const PIECE = 4 << 20;

self.addEventListener("message", async (/** @type {MessageEvent<{id: number, file: File}>} */ event) => {
  const { id, file } = event.data;
  try {
    const hasher = new Hasher();
    for (let at = 0; at < file.size; at += PIECE) {
      hasher.update(new Uint8Array(await file.slice(at, at + PIECE).arrayBuffer()));
      self.postMessage({ id, done: Math.min(file.size, at + PIECE) });
    }
    self.postMessage({ id, hash: hasher.hex() });
  } catch (error) {
    // It was changed or taken away meanwhile; what sends it will say so.
    self.postMessage({ id, trouble: String(error) });
  }
});
