import { Sampled } from "../sampled.ts";
import type { Log } from "./log.ts";

interface Line {
  readonly level: "info" | "warn" | "error";
  readonly fields: Readonly<Record<string, unknown>>;
  readonly message: string;
}

/**
 * Writes lines that can repeat: of the same kind at most one in an interval, the newest, with the number of the others
 * as `omitted`.
 */
export class SampledLog {
  readonly #lines: Sampled<Line>;

  /** @param intervalMs default: a second */
  constructor(log: Log, intervalMs = 1000) {
    this.#lines = new Sampled({
      intervalMs,
      pass: ({ level, fields, message }, omitted) =>
        log[level](omitted === 0 ? fields : { ...fields, omitted }, message),
    });
  }

  /** @param kind name of the kind. Kinds must be few, such as providers and error codes. */
  write(kind: string, line: Line): void {
    this.#lines.add(kind, line);
  }

  /** Writes what is held, at once. */
  flush(): void {
    this.#lines.flush();
  }
}
