// @ts-check
// BLAKE3 (O'Connor, Aumasson, Neves, Wilcox-O'Hearn, 2020): the name that a file has here, found
// before any of it is sent. Pieces may come in any sizes.

const IV = Int32Array.of(0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19);
const CHUNK_START = 1;
const CHUNK_END = 2;
const PARENT = 4;
const ROOT = 8;
const BLOCK = 64;
const CHUNK = 1024;

/** In which order each of the seven rounds takes the words of a block. */
const ORDER = (() => {
  const next = [2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8];
  const order = new Uint8Array(7 * 16);
  for (let word = 0; word < 16; word += 1) order[word] = word;
  for (let at = 16; at < order.length; at += 1) order[at] = order[at - 16 - (at % 16) + next[at % 16]];
  return order;
})();

/**
 * One compression; the first eight words of its state replace those of `chain`.
 * @param {Int32Array} chain
 * @param {Int32Array} m sixteen words from `base` on
 * @param {number} base
 * @param {number} counter
 * @param {number} length
 * @param {number} flags
 */
const compress = (chain, m, base, counter, length, flags) => {
  let a0 = chain[0], a1 = chain[1], a2 = chain[2], a3 = chain[3];
  let b0 = chain[4], b1 = chain[5], b2 = chain[6], b3 = chain[7];
  let c0 = IV[0], c1 = IV[1], c2 = IV[2], c3 = IV[3];
  let d0 = counter | 0, d1 = Math.floor(counter / 0x100000000) | 0, d2 = length, d3 = flags;
  for (let o = 0; o < 112; o += 16) {
    a0 = (a0 + b0 + m[base + ORDER[o]]) | 0; d0 ^= a0; d0 = (d0 >>> 16) | (d0 << 16); c0 = (c0 + d0) | 0; b0 ^= c0; b0 = (b0 >>> 12) | (b0 << 20);
    a0 = (a0 + b0 + m[base + ORDER[o + 1]]) | 0; d0 ^= a0; d0 = (d0 >>> 8) | (d0 << 24); c0 = (c0 + d0) | 0; b0 ^= c0; b0 = (b0 >>> 7) | (b0 << 25);
    a1 = (a1 + b1 + m[base + ORDER[o + 2]]) | 0; d1 ^= a1; d1 = (d1 >>> 16) | (d1 << 16); c1 = (c1 + d1) | 0; b1 ^= c1; b1 = (b1 >>> 12) | (b1 << 20);
    a1 = (a1 + b1 + m[base + ORDER[o + 3]]) | 0; d1 ^= a1; d1 = (d1 >>> 8) | (d1 << 24); c1 = (c1 + d1) | 0; b1 ^= c1; b1 = (b1 >>> 7) | (b1 << 25);
    a2 = (a2 + b2 + m[base + ORDER[o + 4]]) | 0; d2 ^= a2; d2 = (d2 >>> 16) | (d2 << 16); c2 = (c2 + d2) | 0; b2 ^= c2; b2 = (b2 >>> 12) | (b2 << 20);
    a2 = (a2 + b2 + m[base + ORDER[o + 5]]) | 0; d2 ^= a2; d2 = (d2 >>> 8) | (d2 << 24); c2 = (c2 + d2) | 0; b2 ^= c2; b2 = (b2 >>> 7) | (b2 << 25);
    a3 = (a3 + b3 + m[base + ORDER[o + 6]]) | 0; d3 ^= a3; d3 = (d3 >>> 16) | (d3 << 16); c3 = (c3 + d3) | 0; b3 ^= c3; b3 = (b3 >>> 12) | (b3 << 20);
    a3 = (a3 + b3 + m[base + ORDER[o + 7]]) | 0; d3 ^= a3; d3 = (d3 >>> 8) | (d3 << 24); c3 = (c3 + d3) | 0; b3 ^= c3; b3 = (b3 >>> 7) | (b3 << 25);
    a0 = (a0 + b1 + m[base + ORDER[o + 8]]) | 0; d3 ^= a0; d3 = (d3 >>> 16) | (d3 << 16); c2 = (c2 + d3) | 0; b1 ^= c2; b1 = (b1 >>> 12) | (b1 << 20);
    a0 = (a0 + b1 + m[base + ORDER[o + 9]]) | 0; d3 ^= a0; d3 = (d3 >>> 8) | (d3 << 24); c2 = (c2 + d3) | 0; b1 ^= c2; b1 = (b1 >>> 7) | (b1 << 25);
    a1 = (a1 + b2 + m[base + ORDER[o + 10]]) | 0; d0 ^= a1; d0 = (d0 >>> 16) | (d0 << 16); c3 = (c3 + d0) | 0; b2 ^= c3; b2 = (b2 >>> 12) | (b2 << 20);
    a1 = (a1 + b2 + m[base + ORDER[o + 11]]) | 0; d0 ^= a1; d0 = (d0 >>> 8) | (d0 << 24); c3 = (c3 + d0) | 0; b2 ^= c3; b2 = (b2 >>> 7) | (b2 << 25);
    a2 = (a2 + b3 + m[base + ORDER[o + 12]]) | 0; d1 ^= a2; d1 = (d1 >>> 16) | (d1 << 16); c0 = (c0 + d1) | 0; b3 ^= c0; b3 = (b3 >>> 12) | (b3 << 20);
    a2 = (a2 + b3 + m[base + ORDER[o + 13]]) | 0; d1 ^= a2; d1 = (d1 >>> 8) | (d1 << 24); c0 = (c0 + d1) | 0; b3 ^= c0; b3 = (b3 >>> 7) | (b3 << 25);
    a3 = (a3 + b0 + m[base + ORDER[o + 14]]) | 0; d2 ^= a3; d2 = (d2 >>> 16) | (d2 << 16); c1 = (c1 + d2) | 0; b0 ^= c1; b0 = (b0 >>> 12) | (b0 << 20);
    a3 = (a3 + b0 + m[base + ORDER[o + 15]]) | 0; d2 ^= a3; d2 = (d2 >>> 8) | (d2 << 24); c1 = (c1 + d2) | 0; b0 ^= c1; b0 = (b0 >>> 7) | (b0 << 25);
  }
  chain[0] = a0 ^ c0; chain[1] = a1 ^ c1; chain[2] = a2 ^ c2; chain[3] = a3 ^ c3;
  chain[4] = b0 ^ d0; chain[5] = b1 ^ d1; chain[6] = b2 ^ d2; chain[7] = b3 ^ d3;
};

/** Words in the order of bytes that BLAKE3 has, which is that of every machine with a browser. */
export class Hasher {
  constructor() {
    this.words = new Int32Array(CHUNK / 4);
    this.bytes = new Uint8Array(this.words.buffer);
    this.filled = 0;
    this.chunks = 0;
    /** Values of whole subtrees, the largest first. @type {Int32Array[]} */
    this.stack = [];
    this.pair = new Int32Array(16);
  }

  /** @param {Uint8Array} input */
  update(input) {
    for (let at = 0; at < input.length; ) {
      if (this.filled === CHUNK) this.#close();
      const piece = Math.min(CHUNK - this.filled, input.length - at);
      this.bytes.set(input.subarray(at, at + piece), this.filled);
      this.filled += piece;
      at += piece;
    }
    return this;
  }

  /** The hash, as it is written. */
  hex() {
    // The last chunk, and then the subtrees from the smallest to the largest: the last of these is the root.
    let chain = this.#chunk(this.stack.length ? 0 : ROOT);
    for (let at = this.stack.length - 1; at >= 0; at -= 1) chain = this.#parent(this.stack[at], chain, at ? 0 : ROOT);
    return [...new Uint8Array(chain.buffer)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  }

  #close() {
    let chain = this.#chunk(0);
    this.chunks += 1;
    for (let whole = this.chunks; whole % 2 === 0; whole /= 2) chain = this.#parent(/** @type {Int32Array} */ (this.stack.pop()), chain, 0);
    this.stack.push(chain);
    this.filled = 0;
  }

  /** @param {number} root */
  #chunk(root) {
    const chain = IV.slice();
    const blocks = Math.max(1, Math.ceil(this.filled / BLOCK));
    this.bytes.fill(0, this.filled, blocks * BLOCK);
    for (let block = 0; block < blocks; block += 1) {
      const last = block + 1 === blocks;
      const flags = (block ? 0 : CHUNK_START) | (last ? CHUNK_END | root : 0);
      compress(chain, this.words, block * 16, this.chunks, last ? this.filled - block * BLOCK : BLOCK, flags);
    }
    return chain;
  }

  /** @param {Int32Array} left @param {Int32Array} right @param {number} root */
  #parent(left, right, root) {
    this.pair.set(left);
    this.pair.set(right, 8);
    const chain = IV.slice();
    compress(chain, this.pair, 0, 0, BLOCK, PARENT | root);
    return chain;
  }
}
