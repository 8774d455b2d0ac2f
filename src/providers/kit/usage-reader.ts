import { type Usage, UsageQuality } from "../../gen/dragoman/v1/usage_pb.js";
import { parts } from "../../tokens/usage-counts.ts";
import { readCounts, unreadCounts } from "./unread-counts.ts";
import { exactUsage, isCount, providerCost, toolRequests } from "./usage.ts";

type PartName = (typeof parts)[number];

/** Counts of a usage. `toolInputTokens`: prompts of the provider's own tools, if it counts them apart (Google). */
type CountName = "inputTokens" | "outputTokens" | "totalTokens" | "toolInputTokens" | PartName;

/**
 * Place of a count in the usage: field names with dots between them. `list[field=value].count` adds up `count` of the
 * entries with that value. A list of places is a count that is their sum, if all of them have one.
 */
type Place = string | readonly string[];

/** Names and meaning of the counts in one API's usage. */
interface UsageForm {
  /** Places of each count. The largest applies, since a server may send 0 under the name that it does not use. */
  readonly counts: Readonly<Partial<Record<CountName, readonly Place[]>>>;
  /** Counts that the API's input count excludes. Default: none, except for cached tokens that exceed the input. */
  readonly besideInput?: readonly CountName[];
  /** Whether the API's output count excludes reasoning. Default: only if the counts or their total show it. */
  readonly besideOutput?: boolean;
  /** Places of maps with a count per tool, and of counts that belong to one tool. */
  readonly toolMaps?: readonly string[];
  readonly tools?: readonly string[];
  /** Places of the cost, each in units of 10^-decimals US dollars. */
  readonly costs?: readonly { readonly place: string; readonly decimals: number }[];
  /** Places of other members that need no mention, such as the rest of a count whose other parts are read. */
  readonly silent?: readonly string[];
}

type Counts = Partial<Record<CountName, number>>;

/** Counts that a response has reported so far. */
export interface ReportedUsage {
  readonly counts: Counts;
  /** Whether events seem to have counted only themselves. */
  readonly hasIncrements?: boolean;
  readonly tools: Readonly<Record<string, number>>;
  readonly cost: Usage["cost"];
}

interface UsageReader {
  /** Adds the usage of one event to those of earlier events. Returns `earlier` if the event reports nothing. */
  add(earlier: ReportedUsage | undefined, usage: unknown): ReportedUsage | undefined;
  /**
   * Converts all that a response reported. If a total is unknown it is 0, with the quality UNSPECIFIED: completeUsage
   * (tokens/usage-estimate.ts) estimates it. Undefined: nothing was reported.
   */
  toUsage(reported: ReportedUsage | undefined): Usage | undefined;
  /**
   * Returns the members of a usage that have a value and that nobody reads, for the metadata. Empty: there are none.
   */
  rest(usage: unknown): Readonly<Record<string, unknown>>;
}

export function createUsageReader(form: UsageForm): UsageReader {
  const places = Object.entries(form.counts).map(
    ([name, ofCount]) => [name as CountName, ofCount.map((place) => [place].flat().map(parsePlace))] as const,
  );
  const toolMaps = (form.toolMaps ?? []).map(parsePlace);
  const tools = (form.tools ?? []).map((name) => [name, parsePlace(name)] as const);
  const costs = (form.costs ?? []).map(({ place, decimals }) => ({ steps: parsePlace(place), decimals }));
  const readPlaces = readCounts([
    ...Object.values(form.counts).flat(2),
    ...[form.toolMaps ?? [], form.tools ?? [], form.silent ?? []].flat(),
    ...(form.costs ?? []).map(({ place }) => place),
  ]);

  function read(usage: unknown): ReportedUsage {
    const counts: Counts = {};
    for (const [name, ofCount] of places) {
      const count = largest(usage, ofCount);
      if (count !== undefined) counts[name] = count;
    }
    const byTool: Record<string, unknown> = {};
    for (const steps of toolMaps) Object.assign(byTool, valueAt(usage, steps));
    for (const [name, steps] of tools) byTool[name] = countAt(usage, steps);
    let cost: Usage["cost"];
    for (const { steps, decimals } of costs) cost ??= providerCost(amountOf(valueAt(usage, steps)), decimals);
    return { counts, tools: toolRequests(byTool), cost };
  }

  return {
    add(earlier, usage) {
      if (typeof usage !== "object" || usage === null) return earlier;
      const now = read(usage);
      if (isEmpty(now.counts) && isEmpty(now.tools) && !now.cost) return earlier;
      if (earlier === undefined) return now;
      const isIncrement = countsItself(earlier.counts, now.counts);
      return {
        counts: isIncrement
          ? sumOf(earlier.counts, now.counts)
          : mergeCounts(earlier.counts, withoutUnknown(now.counts, form), form),
        ...((isIncrement || earlier.hasIncrements) && { hasIncrements: true }),
        tools: { ...earlier.tools, ...now.tools },
        cost: now.cost ?? earlier.cost,
      };
    },
    toUsage: (reported) => reported && toUsage(reported, form),
    rest: (usage) => unreadCounts(usage, readPlaces),
  };
}

function isEmpty(counts: object): boolean {
  for (const _ in counts) return false;
  return true;
}

/** Whether an event counts only itself: it has output but no input, and a lower total than the events before it. */
function countsItself({ totalTokens: earlier = 0 }: Counts, { inputTokens, totalTokens = 0 }: Counts): boolean {
  return inputTokens === 0 && totalTokens > 0 && totalTokens < earlier;
}

function sumOf(earlier: Counts, now: Counts): Counts {
  const names = Object.keys({ ...earlier, ...now }) as readonly CountName[];
  return Object.fromEntries(names.map((name) => [name, (earlier[name] ?? 0) + (now[name] ?? 0)]));
}

/**
 * Merges counts of two events of a response: they are cumulative, and an event may omit some. Counts of earlier events
 * that contradict a later total are out of date.
 */
function mergeCounts(earlier: Counts, now: Counts, form: UsageForm): Counts {
  if (Object.keys(now).length === 0) return earlier;
  const { totalTokens: _, ...others } = earlier;
  const merged = { ...others, ...now };
  const { totalTokens } = now;
  if (totalTokens === undefined) return merged;
  const { input = 0, output = 0 } = sumsOf(merged, form);
  if (input + output <= totalTokens) return merged;
  const { inputTokens } = earlier;
  return inputTokens === undefined ? now : { inputTokens, ...now };
}

/**
 * Returns the counts of a later event without zeros that only mean "unknown": no prompt and no call has 0 tokens. Some
 * servers behind Anthropic's or OpenAI's API send the input once, and zeros in the other events.
 */
function withoutUnknown(counts: Counts, form: UsageForm): Counts {
  const hasInput = sumsOf(counts, form).input !== undefined;
  const hasAny = Object.values(counts).some((count) => count > 0);
  const isKnown = (name: string) => (inputNames.has(name) ? hasInput : hasAny && name !== "totalTokens");
  return Object.fromEntries(Object.entries(counts).filter(([name, count]) => count > 0 || isKnown(name)));
}

interface Totals {
  /** Undefined: unknown. */
  readonly input: number | undefined;
  readonly output: number | undefined;
  /** Whether a total had to be guessed. */
  readonly isDoubtful: boolean;
}

/** Returns the totals in Dragoman's sense: the input includes cached tokens, and the output includes reasoning. */
function totalsOf(counts: Counts, form: UsageForm): Totals {
  const { outputTokens: least = 0, reasoningTokens: reasoning = 0 } = counts;
  // No call has 0 tokens: servers that do not count send it.
  const total = counts.totalTokens || undefined;
  const { input, output } = sumsOf(counts, form);
  const cache = cacheOf(counts);
  if (total === undefined) return { input, output, isDoubtful: false };
  if (input === undefined) {
    // The total may also hold hidden reasoning.
    const rest = output !== undefined && total > output ? total - output : undefined;
    return { input: rest, output, isDoubtful: true };
  }
  const excess = total - input - (output ?? 0);
  if (excess === cache && excess !== reasoning && output !== undefined && !form.besideInput) {
    return { input: input + cache, output, isDoubtful: false };
  }
  // Whatever a total has beyond the input is output, such as reasoning that the other counts hide.
  if (excess >= 0 || total - input >= Math.max(least, reasoning)) {
    return { input, output: total - input, isDoubtful: false };
  }
  // The total excludes the same tokens as the two counts do, or is wrong.
  return { input, output, isDoubtful: false };
}

/** Returns the totals that the counts add up to, whatever total the provider reports. */
function sumsOf(counts: Counts, { besideInput, besideOutput = false }: UsageForm): Omit<Totals, "isDoubtful"> {
  const { inputTokens: base, outputTokens: visible, reasoningTokens: reasoning } = counts;
  const cache = cacheOf(counts);
  const apart = besideInput?.reduce((sum, name) => sum + (counts[name] ?? 0), 0) ?? (cache > (base ?? 0) ? cache : 0);
  // No prompt has 0 tokens.
  const input = base === undefined ? undefined : base + apart || undefined;
  if (visible === undefined && !(besideOutput && reasoning !== undefined)) return { input, output: undefined };
  const isApart = besideOutput || (reasoning ?? 0) > (visible ?? 0);
  return { input, output: (visible ?? 0) + (isApart ? (reasoning ?? 0) : 0) };
}

function cacheOf({ cachedInputTokens = 0, cacheWriteInputTokens = 0 }: Counts): number {
  return cachedInputTokens + cacheWriteInputTokens;
}

const inputParts = [
  "cachedInputTokens",
  "cacheWriteInputTokens",
  "cacheWrite1hInputTokens",
  "audioInputTokens",
  "imageInputTokens",
] as const satisfies readonly PartName[];

const inputNames: ReadonlySet<string> = new Set(["inputTokens", "toolInputTokens", ...inputParts]);

function toUsage({ counts, tools, cost, hasIncrements }: ReportedUsage, form: UsageForm): Usage {
  const { input, output, isDoubtful } = totalsOf(counts, form);
  const limited: Partial<Record<PartName, number>> = {};
  let isExact = !isDoubtful && !hasIncrements;
  for (const name of parts) {
    const count = counts[name];
    if (count === undefined) continue;
    const whole = inputNames.has(name) ? input : output;
    // A part is never above its total. One of an unknown total becomes the least that the total can be.
    limited[name] = whole === undefined ? count : Math.min(count, whole);
    if (limited[name] !== count) isExact = false;
  }
  if (limited.cacheWrite1hInputTokens !== undefined) {
    limited.cacheWriteInputTokens = Math.max(limited.cacheWriteInputTokens ?? 0, limited.cacheWrite1hInputTokens);
  }
  const usage = exactUsage(input ?? 0, output ?? 0, { ...limited, serverToolRequests: tools, cost });
  if (input === undefined || output === undefined) {
    const known = input === undefined && output === undefined ? counts.totalTokens : undefined;
    return { ...usage, totalTokens: known ?? usage.totalTokens, quality: UsageQuality.UNSPECIFIED };
  }
  return isExact ? usage : { ...usage, quality: UsageQuality.ESTIMATED };
}

/** Step of a place: a field, and for a list the field and value that its entries must have. */
interface Step {
  readonly field: string;
  readonly where: readonly [string, string] | undefined;
}

type Steps = readonly Step[];

function parsePlace(place: string): Steps {
  return place.split(".").map((step) => {
    const [, field = step, name = "", value = ""] = /^(\w+)\[(\w+)=(\w+)\]$/.exec(step) ?? [];
    return { field, where: name === "" ? undefined : [name, value] };
  });
}

function largest(usage: unknown, places: readonly (readonly Steps[])[]): number | undefined {
  let most: number | undefined;
  for (const summands of places) {
    let sum: number | undefined = 0;
    for (const steps of summands) {
      const count = countAt(usage, steps);
      sum = sum === undefined || count === undefined ? undefined : sum + count;
    }
    if (sum !== undefined && (most === undefined || sum > most)) most = sum;
  }
  return most;
}

function countAt(value: unknown, steps: Steps, first = 0): number | undefined {
  let at = value;
  for (let index = first; index < steps.length; index++) {
    const { field, where } = steps[index] as Step;
    if (typeof at !== "object" || at === null) return undefined;
    at = Reflect.get(at, field);
    if (where === undefined) continue;
    if (!Array.isArray(at)) return undefined;
    const [name, expected] = where;
    const entries = at.filter((entry) => valueAt(entry, [{ field: name, where: undefined }]) === expected);
    const counts = entries.flatMap((entry) => countAt(entry, steps, index + 1) ?? []);
    return counts.length === 0 ? undefined : counts.reduce((sum, count) => sum + count);
  }
  return isCount(at) ? at : undefined;
}

function valueAt(value: unknown, steps: Steps): unknown {
  let at = value;
  for (const { field } of steps) {
    if (typeof at !== "object" || at === null) return undefined;
    at = Reflect.get(at, field);
  }
  return at;
}

function amountOf(value: unknown): number | undefined {
  return typeof value === "number" && value >= 0 ? value : undefined;
}
