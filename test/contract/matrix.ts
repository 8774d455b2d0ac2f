import {
  cases,
  type Dialect,
  type Form,
  formsOf,
  headingOf,
  isApplicable,
  isBytes,
  resultOf,
  titleOf,
  wireOf,
} from "./dialect.ts";

/** Returns the result of a test by the heading of its provider API and its name, or undefined if it was not run. */
export type Results = (heading: string, test: string) => string | undefined;

export interface Matrix {
  readonly text: string;
  /** Tests that did not pass, as `provider: test`. */
  readonly problems: readonly string[];
}

const width = 5;
const cell = (text: string): string => text.padStart(width);

/**
 * Makes the table of provider APIs and cases: ✓ passed in each form, – not applicable, ✗ failed or not run. A number
 * after – or ✓ refers to a reason below the table; after ✓ it says why there is no whole form.
 */
export function toMatrix(dialects: readonly Dialect[], results: Results): Matrix {
  const reasons: string[] = [];
  const problems: string[] = [];
  const numberOf = (why: string): number => {
    if (!reasons.includes(why)) reasons.push(why);
    return reasons.indexOf(why) + 1;
  };

  function toCell(dialect: Dialect, name: (typeof cases)[number]): string {
    const streamed = wireOf(dialect, "streamed", name);
    if (!isBytes(streamed)) return `–${numberOf(streamed.why)}`;
    const whole = wireOf(dialect, "whole", name);
    const hasPassed = (form: Form) => results(headingOf(dialect), resultOf(name, form)) === "passed";
    const bad = formsOf(dialect).filter((form) => (form === "streamed" || isBytes(whole)) && !hasPassed(form));
    problems.push(...bad.map((form) => `${titleOf(dialect)}: ${resultOf(name, form)}`));
    if (bad.length > 0) return "✗";
    return isBytes(whole) || !isApplicable(dialect.whole) ? "✓" : `✓${numberOf(whole.why)}`;
  }

  const longest = Math.max(...dialects.map((dialect) => titleOf(dialect).length));
  const rows = dialects.map((dialect) => {
    const { whole } = dialect;
    const form = isApplicable(whole) ? "✓" : `–${numberOf(whole.why)}`;
    return [titleOf(dialect).padEnd(longest), cell(form), ...cases.map((name) => cell(toCell(dialect, name)))].join("");
  });
  const letters = cases.map((_, index) => String.fromCharCode(65 + index));
  const text = [
    [" ".repeat(longest), cell("whole"), ...letters.map(cell)].join(""),
    ...rows,
    "",
    "✓ passed in each form of the provider API   – not applicable   ✗ failed or not run   number: reason below",
    "whole: the adapter can also request whole responses; otherwise only streams are tested",
    ...cases.map((name, index) => `${letters[index]}  ${name}`),
    "",
    ...reasons.map((why, index) => `${String(index + 1).padStart(2)}  ${why}`),
  ].join("\n");
  return { text, problems };
}
