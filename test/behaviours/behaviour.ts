import { it } from "vitest";
import { behaviours } from "./rows.ts";

/** Defines the test of one behavior, named by its number and sentence. */
export function behaviour(number: number, test: () => unknown): void {
  it(nameOf(number), async () => {
    await test();
  });
}

/** Lists a behavior that Dragoman does not implement, with the reason. Throws unless the row is `ext`. */
export function notHeld(number: number, reason: string): void {
  if (behaviours.get(number)?.tier !== "ext")
    throw new Error(`behavior ${number} must hold: only ext rows may be listed as not held`);
  it.skip(`${nameOf(number)} — not held: ${reason}`, () => {});
}

/** Defines the test of a behavior. Skips it if `missing` names something that this machine lacks. */
export function behaviourWith(missing: string | undefined, number: number, test: () => unknown): void {
  if (missing === undefined) behaviour(number, test);
  else it.skip(`${nameOf(number)} — skipped: ${missing}`, () => {});
}

function nameOf(number: number): string {
  const row = behaviours.get(number);
  if (row === undefined) throw new Error(`rows.ts has no behavior ${number}`);
  return `behaviour ${number} (${row.tier}): ${row.sentence}`;
}
