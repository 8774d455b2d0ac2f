import { it } from "vitest";
import { behaviours } from "./rows.ts";

/** A test of one behaviour, named by its number and sentence. */
export function behaviour(number: number, test: () => unknown): void {
  it(nameOf(number), async () => {
    await test();
  });
}

/** A behaviour that does not hold here, and why. Only for `ext` rows. */
export function notHeld(number: number, reason: string): void {
  if (behaviours.get(number)?.tier !== "ext") throw new Error(`behaviour ${number} has to hold`);
  it.skip(`${nameOf(number)} — not held: ${reason}`, () => {});
}

/** A behaviour that needs something this machine lacks, said in the name; else its test. */
export function behaviourWith(missing: string | undefined, number: number, test: () => unknown): void {
  if (missing === undefined) behaviour(number, test);
  else it.skip(`${nameOf(number)} — skipped: ${missing}`, () => {});
}

function nameOf(number: number): string {
  const row = behaviours.get(number);
  if (row === undefined) throw new Error(`there is no behaviour ${number}`);
  return `behaviour ${number} (${row.tier}): ${row.sentence}`;
}
