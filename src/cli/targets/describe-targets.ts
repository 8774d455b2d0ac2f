import { durationMs, timestampMs } from "@bufbuild/protobuf/wkt";
import { type Target, TargetState } from "../../gen/dragoman/admin/v1/target_pb.js";
import type { Styles } from "../styles.ts";
import { type Column, layOut, printable } from "../table.ts";

interface Surroundings {
  readonly nowMs: number;
  /** Width of the terminal. Undefined: there is none. */
  readonly width: number | undefined;
}

/** Describes the state of targets: a table, then a line for each key that waits and each parameter that was learned. */
export function describeTargets(targets: readonly Target[], styles: Styles, { nowMs, width }: Surroundings): string {
  const column = (title: string, cellOf: (target: Target) => string, align: Column["align"] = "right"): Column => ({
    ...{ title, align },
    cells: targets.map(cellOf),
  });
  const [titles = "", ...rows] = layOut(
    [
      column("target", ({ name }) => name, "left"),
      column("state", (target) => stateOf(target, nowMs), "left"),
      column("failed", ({ failureRatio }) => `${Math.round(failureRatio * 100)}%`),
      column("first output", ({ firstOutputDuration: time }) =>
        time === undefined ? "-" : `${Math.round(durationMs(time))} ms`,
      ),
      column("running", ({ attemptsInFlight }) => String(attemptsInFlight)),
      column("waiting", ({ queueLength }) => String(queueLength)),
      column("keys", keysOf),
    ],
    width,
  );
  const colored = rows.map((row, index) => (targets[index]?.state === TargetState.CLOSED ? row : styles.red(row)));
  const notes = targets.flatMap((target) => notesOf(target, nowMs)).map((note) => styles.yellow(printable(note)));
  return `${[styles.bold(titles), ...colored, ...notes].join("\n")}\n`;
}

function stateOf({ state, openUntil }: Target, nowMs: number): string {
  switch (state) {
    case TargetState.CLOSED:
      return "closed";
    case TargetState.OPEN:
      return openUntil === undefined ? "open" : `open for ${secondsUntil(timestampMs(openUntil), nowMs)}`;
    case TargetState.HALF_OPEN:
      return "half-open";
    default:
      return "unknown";
  }
}

/** Number of the keys that routing uses now, and of all. */
function keysOf({ keys }: Target): string {
  if (keys.length === 0) return "-";
  return `${keys.filter(({ reason }) => reason === "").length}/${keys.length}`;
}

function notesOf({ name, keys, learnedParameters }: Target, nowMs: number): readonly string[] {
  return [
    ...keys
      .filter(({ reason }) => reason !== "")
      .map(({ name: key, reason, coolUntil }) => {
        const wait = coolUntil === undefined ? "" : ` for ${secondsUntil(timestampMs(coolUntil), nowMs)}`;
        return `${name}: the key ${key || "(without a name)"} waits${wait}: ${reason}`;
      }),
    ...learnedParameters.map(({ field, replacedBy }) =>
      replacedBy === "" ? `${name}: does not get ${field}` : `${name}: gets ${replacedBy} instead of ${field}`,
    ),
  ];
}

function secondsUntil(ms: number, nowMs: number): string {
  return `${Math.max(0, Math.ceil((ms - nowMs) / 1000))} s`;
}
