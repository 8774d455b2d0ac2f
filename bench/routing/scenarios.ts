import { type Behavior, fast, slow } from "./faults.ts";
import type { Mode } from "./texts.ts";

/** What the operator wants. Each system gets the nearest documented configuration. */
export interface Rules {
  /** Names of targets. The targets of a tier are equal; the next tier is the fallback. */
  readonly tiers: readonly (readonly string[])[];
  /** Whether the calls of a tier go to its fastest target. */
  readonly byLatency: boolean;
  /** Maximum attempts of a call, and those at one target. */
  readonly maxAttempts: number;
  readonly maxPerTarget: number;
  /** Whether a target that fails is left out for a time. Dragoman's breakers are always on. */
  readonly cooldown: boolean;
  /** API keys of the target. Default: one. */
  readonly keys: readonly string[];
  /** Longest wait for an attempt in ms. */
  readonly timeoutMs: number;
}

export interface Scenario {
  readonly name: string;
  readonly title: string;
  readonly targets: Readonly<Record<string, Behavior>>;
  readonly rules: Rules;
  /** Calls in each mode. 8 are in progress at once. */
  readonly calls: Readonly<Record<Mode, number>>;
  /** When the caller gives up, in ms. */
  readonly deadlineMs: number;
  /** When the caller leaves although the response is on its way, in ms. Unset: it stays. */
  readonly leaveAfterMs?: number;
  /** Whether all systems run at the same time: where stalls fill the time, and latency tells little. */
  readonly together: boolean;
  /** How long attempts are watched after the last call, in ms. */
  readonly watchMs: number;
  /** Whether Dragoman is also called over gRPC. */
  readonly grpc: boolean;
}

export const rulesOfAll: Omit<Rules, "tiers"> = {
  byLatency: false,
  maxAttempts: 2,
  maxPerTarget: 1,
  cooldown: false,
  keys: ["K1"],
  timeoutMs: 3000,
};

type Given = Partial<Omit<Scenario, "rules">> &
  Pick<Scenario, "name" | "title" | "targets"> & { readonly rules: Partial<Rules> & Pick<Rules, "tiers"> };

function scenario({ rules, ...given }: Given): Scenario {
  return {
    calls: { unary: 150, stream: 150 },
    deadlineMs: 12_000,
    together: false,
    watchMs: 200,
    grpc: false,
    rules: { ...rulesOfAll, ...rules },
    ...given,
  };
}

const answersFast: Behavior = { kind: "answers", step: fast };
const answersSlow: Behavior = { kind: "answers", step: slow };
const breaksInTheMiddle: Behavior = {
  kind: "fails",
  faults: ["cut", "clean_end", "error_in_200", "malformed", "silent_in_the_middle"],
  faultAfter: 3,
};

/** A model of a scripted upstream names the cell and the target: `portkey.s2.stream.C`. */
export const scenarios: readonly Scenario[] = [
  scenario({
    name: "s1",
    title: "one target C that fails 30 % of attempts, up to 3 attempts",
    targets: { C: { kind: "mixed" } },
    rules: { tiers: [["C"]], maxAttempts: 3, maxPerTarget: 3 },
  }),
  scenario({
    name: "s2",
    title: "C fails 30 % of attempts, fallback A",
    targets: { C: { kind: "mixed" }, A: answersFast },
    rules: { tiers: [["C"], ["A"]] },
  }),
  scenario({
    name: "s3",
    title: "A (30 ms) and B (400 ms), the fastest is wanted",
    targets: { A: answersFast, B: answersSlow },
    rules: { tiers: [["A", "B"]], byLatency: true },
  }),
  scenario({
    name: "s3x",
    title: "the same, A takes 1200 ms from the middle of the run",
    targets: { A: { kind: "answers", step: fast, laterFirstMs: 1200 }, B: answersSlow },
    rules: { tiers: [["A", "B"]], byLatency: true },
  }),
  scenario({
    name: "s4",
    title: "D is dead (503, reset), fallback A, cooldown",
    targets: { D: { kind: "fails", faults: ["503", "reset"], faultAfter: 0 }, A: answersFast },
    rules: { tiers: [["D"], ["A"]], cooldown: true },
  }),
  scenario({
    name: "s4h",
    title: "H is silent, fallback A, cooldown",
    targets: { H: { kind: "fails", faults: ["silent"], faultAfter: 0 }, A: answersFast },
    rules: { tiers: [["H"], ["A"]], cooldown: true },
    calls: { unary: 64, stream: 64 },
    together: true,
  }),
  scenario({
    name: "s5",
    title: "key K1 has 10 requests in 2 s, key K2 has no limit",
    targets: { K: { kind: "limited", requests: 10, windowMs: 2000 } },
    rules: { tiers: [["K"]], keys: ["K1", "K2"], cooldown: true },
  }),
  scenario({
    name: "s6",
    title: "the caller's deadline is 2 s, C stalls before or after its headers, fallback A, attempt timeout 3 s",
    targets: { C: { kind: "fails", faults: ["silent", "silent_after_headers"], faultAfter: 0 }, A: answersFast },
    rules: { tiers: [["C"], ["A"]], cooldown: true },
    calls: { unary: 48, stream: 48 },
    deadlineMs: 2000,
    together: true,
    watchMs: 2500,
    grpc: true,
  }),
  scenario({
    name: "s7",
    title: "the caller leaves after 300 ms, the response has 200 deltas in 4 s",
    targets: { A: { kind: "answers", step: { firstMs: 30, gapMs: 20, deltas: 200 } } },
    rules: { tiers: [["A"]], maxAttempts: 3, maxPerTarget: 3, timeoutMs: 10_000 },
    calls: { unary: 96, stream: 96 },
    leaveAfterMs: 300,
    together: true,
    watchMs: 4500,
    grpc: true,
  }),
  scenario({
    name: "s8",
    title: "one target C whose responses all break in the middle, up to 3 attempts",
    targets: { C: breaksInTheMiddle },
    rules: { tiers: [["C"]], maxAttempts: 3, maxPerTarget: 3 },
    calls: { unary: 20, stream: 60 },
    together: true,
  }),
  scenario({
    name: "s8f",
    title: "the same, fallback A, cooldown",
    targets: { C: breaksInTheMiddle, A: answersFast },
    rules: { tiers: [["C"], ["A"]], cooldown: true },
    calls: { unary: 60, stream: 60 },
    together: true,
  }),
];

/** Calls whose rows are not reported: the first calls of a process take longer. One for each set of `rules`. */
const warmUps: readonly Scenario[] = [
  { byLatency: false, cooldown: false },
  { byLatency: true, cooldown: false },
  { byLatency: false, cooldown: true },
].map((rules, index) =>
  scenario({
    name: `warm${index}`,
    title: "calls before the first scenario",
    targets: { A: answersFast },
    rules: { tiers: [["A"]], ...rules },
    calls: { unary: 40, stream: 40 },
  }),
);

/** Returns the warm-ups for the selected scenarios: LiteLLM needs a process for each strategy. */
export function warmUpsOf(selected: readonly Scenario[]): readonly Scenario[] {
  return warmUps.filter(({ rules: { byLatency, cooldown } }) =>
    selected.some(({ rules }) => rules.byLatency === byLatency && rules.cooldown === cooldown),
  );
}

/** A scenario in one mode at one system. */
export interface Cell {
  readonly system: string;
  readonly scenario: Scenario;
  readonly mode: Mode;
}

/** Name of a cell. The model that its callers request has it, and `modelOf` the models of its targets. */
export function cellName({ system, scenario, mode }: Cell): string {
  return `${system}.${scenario.name}.${mode}`;
}

export function modelOf(cell: Cell, target: string): string {
  return `${cellName(cell)}.${target}`;
}

/** Finds the cell and the target of a model. Undefined: it is not a model of the bench. */
export function targetOf(
  model: string,
): { readonly cell: string; readonly target: string; behavior: Behavior } | undefined {
  const [system, name, mode, target = ""] = model.split(".");
  const behavior = [...scenarios, ...warmUps].find((scenario) => scenario.name === name)?.targets[target];
  return behavior && { cell: `${system}.${name}.${mode}`, target, behavior };
}
