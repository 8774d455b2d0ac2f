import { BoundedPool } from "../bounded-pool.ts";
import { invalidRequest } from "../errors.ts";
import type { Claimant } from "../fair-slots.ts";
import type { TemplateJob } from "./render-strictly.ts";
import { TemplateProcess } from "./template-process.ts";

/** Number of processes. Two, so that one slow template does not block all others. */
const mostProcesses = 2;

/** Maximum number of templates that wait for a process. */
const mostWaiting = 32;

/** Retry delay in the error QUEUE_FULL, in ms: about the duration of two runs that reach the time limit. */
const retryAfterMs = 1000;

/**
 * Renders callers' templates, which are untrusted programs. Each runs in a separate process, with limits on time,
 * memory and length. A mistake in a template is INVALID_REQUEST on `chat.chat_template`.
 */
export class TemplateSandbox {
  readonly #processes = Array.from({ length: mostProcesses }, () => new TemplateProcess());
  readonly #line = new BoundedPool(this.#processes, mostWaiting, { thing: "chat templates", retryAfterMs });

  /** Renders a template to a prompt. Throws the signal's reason if aborted, and QUEUE_FULL if too many calls wait. */
  async render(job: TemplateJob, claimant: Claimant): Promise<string> {
    const process = await this.#line.take(claimant);
    try {
      const outcome = await process.run(job, claimant.signal);
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
