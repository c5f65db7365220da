// A server that a script starts and ends as it needs: always on the same home and the same port.

import { spawn } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";

export const address = process.env.ARTDAG_ADDRESS ?? "";
export const base = `http://${address}`;
let server;

/** Starts it, and waits until it answers. */
export const start = async () => {
  server = spawn(process.env.ARTDAG_BIN, ["serve", "--listen", address], { stdio: "ignore" });
  for (;;) {
    try {
      if ((await fetch(`${base}/healthz`)).ok) return;
    } catch {
      await sleep(100);
    }
  }
};

/** Ends it, and waits until it is gone. */
export const stop = async (signal = "SIGTERM") => {
  const gone = new Promise((resolve) => server.once("exit", resolve));
  server.kill(signal);
  await gone;
};

/** Whatever has happened, it does not outlive its test. */
export const gone = () => server?.kill("SIGKILL");
