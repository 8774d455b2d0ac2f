import { Worker } from "node:worker_threads";
import { invalidRequest } from "../../errors.ts";
import { abortable } from "../upstream/abortable.ts";
import type { Rendering } from "./prompt.ts";

/** Templates of models take some milliseconds. */
const longestRenderingMs = 2000;

/**
 * Renders a prompt from a template that a caller sent, in a thread of its own with little memory: a template is a
 * program, and `{% for i in range(10 ** 9) %}` must not stop the service.
 */
export async function renderCallerTemplate(
  engineFolder: string,
  rendering: Rendering,
  signal: AbortSignal,
): Promise<string> {
  const worker = new Worker(new URL("./template-thread.ts", import.meta.url), {
    workerData: { engineFolder, rendering },
    resourceLimits: { maxOldGenerationSizeMb: 64 },
  });
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const fail = (why: string) =>
    reject(invalidRequest([{ field: "chat.chat_template", description: `cannot be rendered: ${why}` }]));
  worker.on("message", resolve);
  worker.on("error", (error) => fail(error instanceof Error ? error.message : String(error)));
  const timer = setTimeout(() => fail(`it takes longer than ${longestRenderingMs} ms`), longestRenderingMs);
  try {
    return await abortable(promise, signal);
  } finally {
    clearTimeout(timer);
    void worker.terminate();
  }
}
