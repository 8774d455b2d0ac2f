import { GatewayError } from "../../../src/errors.ts";
import type { Trace } from "./trace.ts";

/** Describes what happened in a script, for a person who reads a counterexample. */
export function print({ calls, attempts, changes }: Trace): string {
  const lines: { readonly seq: number; readonly text: string }[] = [];
  const add = (event: { ms: number; turn: number; seq: number } | undefined, text: string) => {
    if (event !== undefined) lines.push({ seq: event.seq, text: `${event.ms} (turn ${event.turn}): ${text}` });
  };
  const nameOf = (reason: unknown) =>
    reason instanceof GatewayError ? reason.reason : reason ? "an error" : "success";
  for (const call of calls) {
    add(call.start, `call ${call.index} starts, deadline at ${call.deadlineMs}`);
    add(call.abort, `call ${call.index}: ${call.abort?.kind}`);
    for (const handed of call.handed) add(handed, `call ${call.index} gets a batch`);
    for (const end of call.ends) add(end, `call ${call.index} ends with ${nameOf(end.error)}`);
  }
  for (const { call, target, key, isWhole, start, output, ends, failure } of attempts) {
    const name = `attempt of call ${call.index} at target ${target}`;
    add(start, `${name} starts with ${key}${isWhole ? ", whole" : ""}`);
    add(output, `${name} has output`);
    add(failure, `${name} fails with ${nameOf(failure?.error)}`);
    for (const end of ends) add(end, `${name} ends: ${end.outcome} ${end.reason}`);
  }
  for (const change of changes)
    add(change, `target ${change.target}: ${change.from} -> ${change.to} for ${change.forMs} ms`);
  return lines
    .sort((a, b) => a.seq - b.seq)
    .map(({ text }) => text)
    .join("\n");
}
