import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { expect, onTestFinished } from "vitest";
import { installed } from "./tools.ts";

/** Program with the receiver of the OpenTelemetry Collector. */
export const otlpReceiver = installed("bin/otlp-receiver");

/** Starts the receiver. Returns the lines that it prints. */
export async function startOtlpProgram(port: number): Promise<AsyncIterator<string>> {
  const child = spawn(otlpReceiver, [`127.0.0.1:${port}`], { stdio: ["ignore", "pipe", "inherit"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  expect((await lines.next()).value).toBe("listening");
  return lines;
}
