import type { Config } from "../../config/config.ts";
import { createLog, type Log, openLogOutput } from "../../telemetry/log.ts";
import { OutputBuffer } from "../../telemetry/output-buffer.ts";
import { openStandardStream } from "../../telemetry/standard-stream.ts";

const maxStderrBytes = 2 ** 20;

/** What the program writes: standard error is for people, the log on standard output is for programs. */
export interface ProgramOutput {
  readonly stderr: OutputBuffer;
  readonly stdout: OutputBuffer;
  readonly log: Log;
}

/**
 * Opens the output. What it buffers is written when the process exits.
 *
 * @param worker number of this process among the workers. Undefined: there are no workers
 */
export function openOutput({ log }: Pick<Config, "log">, worker?: number): ProgramOutput {
  const stderr = new OutputBuffer(openStandardStream(2), { maxBytes: maxStderrBytes });
  const report = (problem: string) => stderr.write(`dragoman: ${problem}\n`);
  const stdout = openLogOutput(log.maxBufferBytes, report);
  process.on("exit", () => {
    stdout.flushSync();
    stderr.flushSync();
  });
  return { stderr, stdout, log: createLog(log.level, stdout, worker) };
}
