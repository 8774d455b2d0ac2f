import { BoundedPool } from "../bounded-pool.ts";
import { invalidRequest } from "../errors.ts";
import type { Claimant } from "../fair-slots.ts";
import type { TemplateJob } from "./template-job.ts";
import { TemplateProcess } from "./template-process.ts";

/** Maximum number of templates that wait for a process. */
const mostWaiting = 32;

/** Retry delay in the error QUEUE_FULL, in ms: about the duration of two runs that reach the time limit. */
const retryAfterMs = 1000;

interface TemplateLimits {
  /** Maximum number of processes. Each renders one template at a time. */
  readonly maxProcesses: number;
  /** Maximum number of processes that the templates of one account use (of one API key, without an account). */
  readonly maxPerAccount: number;
}

/**
 * Renders callers' templates, which are untrusted programs. Each runs in a separate process, with limits on time,
 * memory and length. A mistake in a template is INVALID_REQUEST on `chat.chat_template`.
 *
 * A process starts when a template needs it, and ends when it is idle.
 */
export class TemplateSandbox {
  #processes: BoundedPool<TemplateProcess>;
  #limits: TemplateLimits;

  constructor(limits: TemplateLimits) {
    this.#limits = limits;
    this.#processes = poolOf(limits);
  }

  /** Changes the limits. Templates that run or wait keep their processes, which end once they are idle. */
  setLimits(limits: TemplateLimits): void {
    const { maxProcesses, maxPerAccount } = this.#limits;
    if (limits.maxProcesses === maxProcesses && limits.maxPerAccount === maxPerAccount) return;
    this.close();
    this.#limits = limits;
    this.#processes = poolOf(limits);
  }

  /** Renders a template to a prompt. Throws the signal's reason if aborted, and QUEUE_FULL if too many calls wait. */
  async render(job: TemplateJob, claimant: Claimant): Promise<string> {
    const processes = this.#processes;
    const process = await processes.take(claimant);
    try {
      const outcome = await process.run(job, claimant.signal);
      if ("prompt" in outcome) return outcome.prompt;
      throw invalidRequest([
        { field: ["chat_template"], description: `the template cannot be rendered: ${outcome.problem}` },
      ]);
    } finally {
      processes.give(process, claimant);
    }
  }

  /**
   * Ends the processes that are idle; the next template starts one again. Each adapter that shares the sandbox calls
   * this when it closes, so it must not end a process that renders for another adapter.
   */
  close(): void {
    for (const process of this.#processes.free) process.close();
  }
}

function poolOf({ maxProcesses, maxPerAccount }: TemplateLimits): BoundedPool<TemplateProcess> {
  const processes = Array.from({ length: maxProcesses }, () => new TemplateProcess());
  return new BoundedPool(processes, mostWaiting, { thing: "chat templates", retryAfterMs }, maxPerAccount);
}
