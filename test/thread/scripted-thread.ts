import { workerData } from "node:worker_threads";
import { emit, runThread } from "../../src/thread/run-thread.ts";

// Main module of the threads of thread.test.ts.

const held: (() => void)[] = [];
let failsAtEnd = false;

runThread({
  interfaces: {
    script: {
      data: () => workerData,
      echo: (value: unknown) => value,
      /** Responds when `release` is called. */
      hold: (value: unknown) => new Promise((resolve) => held.push(() => resolve(value))),
      release: () => {
        // The newest first.
        for (const resolve of held.splice(0).reverse()) resolve();
      },
      emit: (value: unknown) => emit("said", value),
      crash: () => void setImmediate(() => throwError("a fault of the thread")),
      reject: () => void Promise.reject(new Error("nobody handles this")),
      exit: () => process.exit(3),
      failAtEnd: () => {
        failsAtEnd = true;
      },
    },
  },
  async close(graceMs) {
    emit("closing", graceMs);
    if (failsAtEnd) throw new Error("a fault at the end");
    // The held calls never end by themselves.
    await Promise.all(held.map(() => new Promise(() => {})));
  },
});

function throwError(message: string): never {
  throw new Error(message);
}
