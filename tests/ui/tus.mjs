// The client that others use for uploads in parts (tus-js-client) on a line that is cut again and
// again, to a server that is killed on the way: it goes on, and next to nothing is sent twice.

import assert from "node:assert/strict";
import { createReadStream } from "node:fs";
import { createRequire } from "node:module";
import net from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { address, base, gone, start, stop } from "./server.mjs";

const require = createRequire(`${process.env.ARTDAG_NODE}/`);
const tus = require("tus-js-client");

const size = Number(process.env.ARTDAG_SIZE);
const cuts = Number(process.env.ARTDAG_CUTS);
/** Bytes a second of the line: less than a disk takes, as lines are. */
const speed = Number(process.env.ARTDAG_SPEED);
const PIECE = 64 << 10;

/** What the line has carried to the server, and at which of these it is cut or the server killed. */
let carried = 0;
const events = Array.from({ length: cuts + 1 }, (_, at) => Math.floor(((at + 0.5) * size) / (cuts + 1)));
const kill = Math.floor(cuts / 2);
const done = { cuts: 0, kills: 0 };
/** @type {Promise<void>} */
let restart = Promise.resolve();

/** Once it takes more, or never will. */
const drained = (socket) =>
  new Promise((resolve) => {
    const over = () => {
      socket.off("drain", over).off("close", over);
      resolve();
    };
    socket.on("drain", over).on("close", over);
  });

/** Hands on what a client sends, at the speed of the line, until the line is cut. */
const carry = async (client, server) => {
  const began = performance.now();
  let here = 0;
  for await (const chunk of client) {
    for (let at = 0; at < chunk.length; at += PIECE) {
      const piece = chunk.subarray(at, at + PIECE);
      if (!server.write(piece)) await drained(server);
      here += piece.length;
      carried += piece.length;
      if (done.cuts + done.kills <= cuts && carried >= events[done.cuts + done.kills]) {
        const isKill = done.cuts + done.kills === kill;
        if (isKill) {
          done.kills += 1;
          restart = stop("SIGKILL").then(start);
        } else done.cuts += 1;
        client.destroy();
        server.destroy();
        return;
      }
      const early = (here / speed) * 1000 - (performance.now() - began);
      if (early > 4) await sleep(early);
    }
  }
  server.end();
};

const line = net.createServer((client) => {
  const [host, port] = [address.slice(0, address.lastIndexOf(":")), Number(address.slice(address.lastIndexOf(":") + 1))];
  const server = net.connect(port, host);
  const both = () => (client.destroy(), server.destroy());
  for (const end of [client, server]) end.on("error", both).on("close", both);
  server.pipe(client);
  carry(client, server).catch(both);
});

try {
  await start();
  await new Promise((resolve) => line.listen(0, "127.0.0.1", resolve));
  const began = performance.now();
  const hash = await new Promise((resolve, reject) => {
    let told = "";
    const upload = new tus.Upload(createReadStream(process.env.ARTDAG_FILE), {
      endpoint: `http://127.0.0.1:${line.address().port}/uploads`,
      headers: { Authorization: `Bearer ${process.env.ARTDAG_TOKEN}` },
      metadata: { filename: "large.bin" },
      retryDelays: Array.from({ length: 60 }, () => 250),
      onAfterResponse: (_, response) => (told = response.getHeader("Upload-Content-Hash") ?? told),
      onSuccess: () => resolve(told),
      onError: reject,
    });
    upload.start();
  });
  await restart;
  const twice = (100 * (carried - size)) / size;
  console.log(`${Math.round(size / 2 ** 20)} MiB in ${((performance.now() - began) / 1000).toFixed(1)} s, ${done.cuts} connections cut, ${done.kills} server killed: ${twice.toFixed(2)} % sent twice, words of the protocol included`);
  assert.equal(hash, process.env.ARTDAG_HASH, "the right hash at the end");
  assert.deepEqual(done, { cuts, kills: 1 });
  assert.ok(twice <= 3, `${twice} % of it was sent twice`);
  const info = await (await fetch(`${base}/cache/${hash}/info`)).json();
  assert.equal(info.size, size);
} finally {
  line.close();
  gone();
}
process.exit(0);
