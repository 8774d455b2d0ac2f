import type { MetricDefinition } from "./definitions.ts";

/** A trace that had a value of a bucket. */
export interface Exemplar {
  readonly traceId: string;
  readonly spanId: string;
  readonly value: number;
  /** Milliseconds since 1970. */
  readonly timeMs: number;
}

/** Values of a counter or gauge with one set of labels. */
export interface NumberSample {
  /** Values of the labels, in the order of the definition. */
  readonly labels: readonly string[];
  readonly value: number;
}

/** Values of a histogram with one set of labels. */
export interface HistogramSample {
  readonly labels: readonly string[];
  /** Number of values in each bucket, and at last of those above all bounds. Not cumulative. */
  readonly counts: readonly number[];
  readonly sum: number;
  /** The latest exemplar of each bucket. Undefined: no value had a trace. */
  readonly exemplars: readonly (Exemplar | undefined)[] | undefined;
}

/** A metric with all its values. */
export type Family =
  | {
      readonly definition: MetricDefinition & { readonly type: "counter" | "gauge" };
      samples(): Iterable<NumberSample>;
    }
  | {
      readonly definition: MetricDefinition & { readonly type: "histogram" };
      samples(): Iterable<HistogramSample>;
    };

/** Values by their labels: a map of maps, since a lookup by one joined text would have to build the text. */
class Children<Child> {
  readonly #root = new Map<string, unknown>();
  readonly #create: (labels: readonly string[]) => Child;
  readonly #all: Child[] = [];

  constructor(create: (labels: readonly string[]) => Child) {
    this.#create = create;
  }

  get all(): readonly Child[] {
    return this.#all;
  }

  /** Returns the values with these labels. The first call creates them. */
  of(labels: readonly string[]): Child {
    let map = this.#root;
    for (let index = 0; index < labels.length - 1; index++) {
      const label = labels[index] as string;
      let next = map.get(label) as Map<string, unknown> | undefined;
      if (next === undefined) {
        next = new Map();
        map.set(label, next);
      }
      map = next;
    }
    const last = labels.at(-1) ?? "";
    const known = map.get(last) as Child | undefined;
    if (known !== undefined) return known;
    const child = this.#create(labels);
    map.set(last, child);
    this.#all.push(child);
    return child;
  }
}

/** Number that only grows, for each set of labels. */
export class Counter {
  readonly definition: MetricDefinition & { readonly type: "counter" };
  readonly #children = new Children((labels) => ({ labels, value: 0 }));

  constructor(definition: MetricDefinition & { readonly type: "counter" }) {
    this.definition = definition;
  }

  add(amount: number, ...labels: readonly string[]): void {
    this.#children.of(labels).value += amount;
  }

  samples(): readonly NumberSample[] {
    return this.#children.all;
  }
}

interface HistogramChild {
  readonly labels: readonly string[];
  readonly counts: number[];
  sum: number;
  exemplars: (Exemplar | undefined)[] | undefined;
}

/** Counts of values in buckets, for each set of labels. */
export class Histogram {
  readonly definition: MetricDefinition & { readonly type: "histogram" };
  readonly #bounds: readonly number[];
  readonly #children: Children<HistogramChild>;

  constructor(definition: MetricDefinition & { readonly type: "histogram" }) {
    const { buckets = [] } = definition;
    this.definition = definition;
    this.#bounds = buckets;
    this.#children = new Children((labels) => ({
      labels,
      counts: new Array<number>(buckets.length + 1).fill(0),
      sum: 0,
      exemplars: undefined,
    }));
  }

  /** @param trace of the value. Undefined: there is none, or it is not recorded. */
  observe(
    value: number,
    trace: { readonly traceId: string; readonly spanId: string } | undefined,
    ...labels: readonly string[]
  ): void {
    const child = this.#children.of(labels);
    let bucket = 0;
    while (bucket < this.#bounds.length && value > (this.#bounds[bucket] as number)) bucket++;
    child.counts[bucket] = (child.counts[bucket] as number) + 1;
    child.sum += value;
    if (trace === undefined) return;
    child.exemplars ??= new Array<Exemplar | undefined>(child.counts.length).fill(undefined);
    const { traceId, spanId } = trace;
    child.exemplars[bucket] = { traceId, spanId, value, timeMs: Date.now() };
  }

  samples(): readonly HistogramSample[] {
    return this.#children.all;
  }
}

/** Creates a metric whose values are read when somebody wants to know them. */
export function readWhenAsked(
  definition: MetricDefinition & { readonly type: "counter" | "gauge" },
  read: () => Iterable<NumberSample> | number | undefined,
): Family {
  return {
    definition,
    samples() {
      const values = read();
      return typeof values === "number" ? [{ labels: [], value: values }] : (values ?? []);
    },
  };
}
