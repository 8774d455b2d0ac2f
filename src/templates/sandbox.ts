import { BoundedPool } from "../bounded-pool.ts";
import { invalidRequest } from "../errors.ts";
import type { TemplateJob } from "./render-strictly.ts";
import { TemplateProcess } from "./template-process.ts";

/** Two, so that a template that takes all its time does not hold up every other. */
const mostProcesses = 2;

/** Templates that may wait for a process; beyond it QUEUE_FULL. */
const mostWaiting = 32;

/** About as long as two runs that take all their time. */
const retryAfterMs = 1000;

/**
 * Renders templates that callers sent, which are programs: each within limits of time, memory and length, and away from
 * the service. What is wrong with a template is an INVALID_REQUEST on `chat.chat_template`.
 */
export class TemplateSandbox {
  readonly #processes = Array.from({ length: mostProcesses }, () => new TemplateProcess());
  readonly #line = new BoundedPool(this.#processes, mostWaiting, { thing: "a chat template's turn", retryAfterMs });

  /** Throws the signal's reason when it fires, and QUEUE_FULL when too many wait. */
  async render(job: TemplateJob, signal: AbortSignal): Promise<string> {
    const process = await this.#line.take(signal);
    try {
      const outcome = await process.run(job, signal);
      if ("prompt" in outcome) return outcome.prompt;
      throw invalidRequest([
        { field: ["chat_template"], description: `the template cannot be rendered: ${outcome.problem}` },
      ]);
    } finally {
      this.#line.give(process);
    }
  }

  close(): void {
    for (const process of this.#processes) process.close();
  }
}
