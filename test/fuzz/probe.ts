/**
 * Runs inside the service under attack (`node --import`) and reports its state to the driver on request. The figures
 * come from inside, so that a slow test client or a busy machine is not blamed on the service.
 */
import { subscribe } from "node:diagnostics_channel";
import { readdirSync } from "node:fs";
import type { ServerResponse } from "node:http";
import { ActiveCalls } from "../../src/calls/active-calls.ts";
import { Call } from "../../src/calls/call.ts";

/** State of the service. Peaks are since the previous report. */
export interface Report {
  /** Calls that began since the start of the process, and calls in progress. */
  readonly begun: number;
  readonly running: number;
  /** HTTP requests without a complete response or a closed connection. */
  readonly openRequests: number;
  /** Maximum CPU time of the main thread between two turns of the event loop, in ms. */
  readonly longestTurnMs: number;
  /** Maximum time between two turns of the event loop, in ms. Includes the time when other processes had the CPU. */
  readonly longestGapMs: number;
  readonly rssMiB: number;
  readonly peakRssMiB: number;
  readonly cpuSeconds: number;
  readonly descriptors: number;
}

const tickMs = 5;
const mebibyte = 2 ** 20;

let begun = 0;
const running = new Set<Call>();
const { begin } = ActiveCalls.prototype;
ActiveCalls.prototype.begin = function (...parameters) {
  const call = begin.apply(this, parameters);
  begun++;
  // A call ends while it begins if its client has already disconnected.
  if (!call.signal.aborted) running.add(call);
  return call;
};
const { reject } = ActiveCalls.prototype;
ActiveCalls.prototype.reject = function (...parameters) {
  begun++;
  reject.apply(this, parameters);
};
const { settle } = Call.prototype;
Call.prototype.settle = function (error) {
  settle.call(this, error);
  running.delete(this);
};

let openRequests = 0;
subscribe("http.server.request.start", (message) => {
  openRequests++;
  const { response } = message as { readonly response: ServerResponse };
  response.once("close", () => {
    openRequests--;
  });
});

const threadCpuMs = (): number => {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
};
let longestTurnMs = 0;
let longestGapMs = 0;
let peakRss = 0;
let [turnCpuMs, turnTime] = [threadCpuMs(), performance.now()];

function tick(): void {
  const [cpuMs, time] = [threadCpuMs(), performance.now()];
  longestTurnMs = Math.max(longestTurnMs, cpuMs - turnCpuMs);
  longestGapMs = Math.max(longestGapMs, time - turnTime);
  peakRss = Math.max(peakRss, process.memoryUsage.rss());
  [turnCpuMs, turnTime] = [cpuMs, time];
}
setInterval(tick, tickMs).unref();

function report(): Report {
  tick();
  const { user, system } = process.cpuUsage();
  const figures = {
    begun,
    running: running.size,
    openRequests,
    longestTurnMs,
    longestGapMs,
    rssMiB: process.memoryUsage.rss() / mebibyte,
    peakRssMiB: peakRss / mebibyte,
    cpuSeconds: (user + system) / 1e6,
    descriptors: readdirSync("/proc/self/fd").length,
  };
  [longestTurnMs, longestGapMs, peakRss] = [0, 0, 0];
  return figures;
}

process.on("message", () => process.send?.(report()));
process.channel?.unref();
// The driver has ended without stopping the service.
process.on("disconnect", () => process.exit(1));
