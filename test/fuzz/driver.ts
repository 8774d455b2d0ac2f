import fc from "fast-check";
import { checkHealth, warmUp } from "./health.ts";
import { shoot } from "./shoot.ts";
import type { Shot } from "./shot.ts";
import { type LlmEngineApi, startTarget, type Target } from "./target.ts";
import { type Bounds, type Figures, type Watch, watch } from "./watch.ts";

/** One attack surface. */
export interface Attack {
  readonly name: string;
  readonly shots: fc.Arbitrary<Shot>;
  /** Version of LLM Engine's API that the target must have. Default: any. */
  readonly llmEngine?: LlmEngineApi;
}

/** Shots that broke laws. */
export interface Finding {
  readonly attack: string;
  readonly shots: readonly Shot[];
  readonly problems: readonly string[];
}

const batchSize = 32;
/** Findings of one batch. The others of the batch likely have the same causes. */
const maxFindings = 5;
const maxFindingsOfRun = 20;
/** Shots that are in progress at once. */
const concurrency = 8;

/** Fires shots at a target and returns which laws it broke. */
export async function fire({ target, watch }: Stage, shots: readonly Shot[]): Promise<readonly string[]> {
  const queue = shots.values();
  const ids: string[] = [];
  const problems: string[] = [];
  const worker = async (): Promise<void> => {
    for (const shot of queue) {
      const outcome = await shoot(target, shot);
      ids.push(...outcome.ids);
      if (outcome.problem !== undefined) problems.push(outcome.problem);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
  const laws = await watch.check(ids);
  if (target.service.child.exitCode !== null) return [...laws, ...problems];
  const health = await checkHealth(target);
  const healthProblems = health.flatMap(({ problem }) => problem ?? []);
  const lawsOfHealth = await watch.check(health.flatMap((outcome) => outcome.ids));
  return [...laws, ...problems, ...healthProblems, ...lawsOfHealth];
}

/** A target and its watch. */
export interface Stage extends AsyncDisposable {
  readonly target: Target;
  readonly watch: Watch;
}

export async function startStage(bounds: Bounds, options: Parameters<typeof startTarget>[0] = {}): Promise<Stage> {
  const target = await startTarget(options);
  const watcher = watch(target, bounds);
  // The first calls load and compile code. Their figures say nothing about the shots.
  await warmUp(target);
  await target.report();
  return { target, watch: watcher, [Symbol.asyncDispose]: () => target[Symbol.asyncDispose]() };
}

/** The shots of one batch. The same seed and index give the same shots. */
export function batchOf({ shots }: Attack, seed: number, index: number): readonly Shot[] {
  // A prime spreads the seeds of the batches.
  return fc.sample(shots, { seed: (seed + index * 7919) | 0, numRuns: batchSize });
}

/** Result of a run of batches. */
export interface Run {
  readonly shots: number;
  readonly findings: readonly Finding[];
  readonly figures: Figures;
}

interface RunOptions {
  readonly seed: number;
  readonly bounds: Bounds;
  /** Whether to fire another batch of the attack. */
  more(batches: number): boolean;
}

/**
 * Fires batches of an attack at one process. After a broken law, it looks for the shots that break it alone, and goes
 * on with a new process.
 */
export async function runAttack(attack: Attack, { seed, bounds, more }: RunOptions): Promise<Run> {
  const options = attack.llmEngine === undefined ? {} : { llmEngine: attack.llmEngine };
  const start = (): Promise<Stage> => startStage(bounds, options);
  const findings: Finding[] = [];
  let batches = 0;
  let stage = await start();
  const figures = { ...stage.watch.figures };
  const add = (of: Figures): void => {
    figures.longestTurnMs = Math.max(figures.longestTurnMs, of.longestTurnMs);
    figures.longestGapMs = Math.max(figures.longestGapMs, of.longestGapMs);
    figures.peakRssMiB = Math.max(figures.peakRssMiB, of.peakRssMiB);
    figures.last = of.last;
  };
  try {
    for (; more(batches) && findings.length < maxFindingsOfRun; batches++) {
      const shots = batchOf(attack, seed, batches);
      const problems = await fire(stage, shots);
      if (problems.length === 0) continue;
      add(stage.watch.figures);
      await stage[Symbol.asyncDispose]();
      findings.push(...(await narrow(attack.name, shots, problems, start)));
      stage = await start();
    }
    add(stage.watch.figures);
  } finally {
    await stage[Symbol.asyncDispose]();
  }
  return { shots: batches * batchSize, findings, figures };
}

/** Returns a finding for each shot that breaks a law alone, or one for all of them if none does. */
async function narrow(
  attack: string,
  shots: readonly Shot[],
  problems: readonly string[],
  start: () => Promise<Stage>,
): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  let stage = await start();
  for (const shot of shots) {
    const alone = await fire(stage, [shot]);
    if (alone.length === 0) continue;
    findings.push({ attack, shots: [shot], problems: alone });
    if (findings.length === maxFindings) break;
    await stage[Symbol.asyncDispose]();
    stage = await start();
  }
  await stage[Symbol.asyncDispose]();
  return findings.length > 0 ? findings : [{ attack, shots, problems }];
}
