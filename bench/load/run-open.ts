import type { Caller } from "./caller.ts";
import type { OpenJob, OpenResult } from "./jobs.ts";

/** Streams that are being opened at the same time. */
const opening = 64;

const cancels = new Map<Caller, (() => void)[]>();

export async function runOpen({ streams }: OpenJob, caller: Caller): Promise<OpenResult> {
  const opened: (() => void)[] = [];
  const failures: string[] = [];
  let next = 0;
  const work = async (): Promise<void> => {
    while (next++ < streams) {
      await caller.open("bench-hold").then(
        (cancel) => opened.push(cancel),
        (error: unknown) => failures.push(String(error)),
      );
    }
  };
  await Promise.all(Array.from({ length: opening }, work));
  cancels.set(caller, opened);
  return { opened: opened.length, failures: failures.length, firstFailure: failures[0] };
}

export async function runRelease(caller: Caller): Promise<undefined> {
  for (const cancel of cancels.get(caller) ?? []) cancel();
  cancels.delete(caller);
}
