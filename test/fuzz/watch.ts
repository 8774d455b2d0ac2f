import { setTimeout as delay } from "node:timers/promises";
import type { Report } from "./probe.ts";
import type { Target } from "./target.ts";

/** Bounds that the laws use. */
export interface Bounds {
  /** CPU time of the main thread in one turn of the event loop, in ms. */
  readonly turnMs: number;
  readonly rssMiB: number;
}

/** Watches a target: its log, its standard error and its figures. */
export interface Watch {
  /**
   * Waits until the target is at rest, and returns which laws it broke since the last check.
   *
   * @param ids Ids of calls that responses named since the last check.
   */
  check(ids: readonly string[]): Promise<readonly string[]>;
  /** Figures since the start of the watch. */
  readonly figures: Figures;
}

export interface Figures {
  longestTurnMs: number;
  longestGapMs: number;
  peakRssMiB: number;
  last: Report | undefined;
}

/** Time for the last record and the last response after the last shot, in ms. */
const restMs = 20_000;

/** Errors of the language, which a defect of the service throws. */
const defects = ["TypeError", "RangeError", "ReferenceError", "URIError", "AssertionError"];

export function watch(target: Target, bounds: Bounds): Watch {
  /** Ids of the records since the last check, and how many records there are in all. */
  let recorded = new Set<string>();
  let records = 0;
  let problems: string[] = [];
  let reported = 0;
  const figures: Figures = { longestTurnMs: 0, longestGapMs: 0, peakRssMiB: 0, last: undefined };

  target.onLog((line) => {
    if (line.msg === "call") {
      records++;
      const id = String(line.id);
      if (recorded.has(id)) problems.push(`two records of ${id}`);
      recorded.add(id);
      if (line.reason === "INTERNAL") problems.push(`a call failed with INTERNAL: ${JSON.stringify(line)}`);
      return;
    }
    const fault = defectOf(line.err);
    if (fault || (line.level === "error" && !isProviderFault(line)))
      problems.push(`the log has ${JSON.stringify(line)}`);
  });

  async function rest(): Promise<Report> {
    const deadline = performance.now() + restMs;
    for (;;) {
      const report = await target.report();
      figures.longestTurnMs = Math.max(figures.longestTurnMs, report.longestTurnMs);
      figures.longestGapMs = Math.max(figures.longestGapMs, report.longestGapMs);
      figures.peakRssMiB = Math.max(figures.peakRssMiB, report.peakRssMiB);
      figures.last = report;
      if (report.longestTurnMs > bounds.turnMs) {
        problems.push(`a turn of the event loop took ${Math.round(report.longestTurnMs)} ms of CPU time`);
      }
      if (report.peakRssMiB > bounds.rssMiB) problems.push(`memory rose to ${Math.round(report.peakRssMiB)} MiB`);
      if (report.running === 0 && report.openRequests === 0 && records >= report.begun) return report;
      if (performance.now() > deadline) return report;
      await delay(10);
    }
  }

  return {
    figures,
    async check(ids) {
      let end: string | undefined;
      try {
        const { running, openRequests, begun } = await rest();
        if (running > 0) problems.push(`${running} calls never ended`);
        if (openRequests > 0) problems.push(`${openRequests} requests got neither a response nor a closed connection`);
        if (running === 0 && records !== begun) problems.push(`${records} records of ${begun} calls`);
        for (const id of ids) if (!recorded.has(id)) problems.push(`a response names ${id}, which has no record`);
      } catch {
        const [code, signal] = await target.service.exited;
        end = `the process ended with ${signal ?? `code ${code}`}`;
      }
      const lines = target.service.reports.slice(reported);
      reported += lines.length;
      const found = [...(end === undefined ? [] : [end]), ...problems, ...lines.map((line) => `stderr: ${line}`)];
      problems = [];
      recorded = new Set();
      return [...new Set(found)];
    },
  };
}

/** The provider sent what Dragoman cannot use: no fault of Dragoman. */
function isProviderFault({ msg, err }: Record<string, unknown>): boolean {
  return msg === "call failed with status INTERNAL" && !defectOf(err);
}

/** Whether a described error, or a cause of it, is an error of the language. */
function defectOf(error: unknown): boolean {
  if (typeof error !== "object" || error === null) return false;
  const { type, cause } = error as { readonly type?: unknown; readonly cause?: unknown };
  return defects.includes(String(type)) || defectOf(cause);
}
