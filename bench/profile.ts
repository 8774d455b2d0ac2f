/** Summaries of V8's profiles of time and of allocations, by package and by room of src/. */

interface Node {
  readonly id: number;
  readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
}

/** The parts of a .cpuprofile file that the summary needs. */
export interface Profile {
  readonly nodes: readonly Node[];
  readonly samples: readonly number[];
  /** Time before each sample in µs. */
  readonly timeDeltas: readonly number[];
}

// What is not work of the program: idleness, and the start of the profiler itself.
const idle = new Set(["(idle)", "(program)", "(root)"]);

/** Name of the package, of the room of src/, or of the part of Node that a function belongs to. */
export function placeOf({ functionName, url }: Node["callFrame"]): string {
  if (functionName === "(garbage collector)") return "garbage collection";
  const packaged = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(url)?.[1];
  if (packaged !== undefined) return packaged;
  const own = /\/src\/([^/]+)\/(?:([^/]+)\/)?/.exec(url);
  if (own !== null) return `src/${own[1]}${own[2] === undefined ? "" : `/${own[2]}`}`;
  const node = /^node:(internal\/[^/]+|[^/]+)/.exec(url)?.[1];
  if (node !== undefined) return `node:${node}`;
  return url === "" ? "native code" : url.slice(url.lastIndexOf("/") + 1);
}

/** The parts of a .heapprofile file that the summary needs. */
export interface AllocationProfile {
  readonly head: AllocationNode;
}

interface AllocationNode extends Node {
  readonly selfSize: number;
  readonly children: readonly AllocationNode[];
}

function sumBy(profile: Profile, nameOf: (node: Node) => string): ReadonlyMap<string, number> {
  const names = new Map(
    profile.nodes.map((node) => [
      node.id,
      idle.has(node.callFrame.functionName) || node.callFrame.url === "node:inspector" ? undefined : nameOf(node),
    ]),
  );
  const sums = new Map<string, number>();
  for (const [index, id] of profile.samples.entries()) {
    const name = names.get(id);
    if (name !== undefined) sums.set(name, (sums.get(name) ?? 0) + (profile.timeDeltas[index] ?? 0));
  }
  return sums;
}

function sumAllocations(profile: AllocationProfile, nameOf: (node: Node) => string): ReadonlyMap<string, number> {
  const sums = new Map<string, number>();
  const add = (node: AllocationNode): void => {
    const name = nameOf(node);
    sums.set(name, (sums.get(name) ?? 0) + node.selfSize);
    for (const child of node.children) add(child);
  };
  add(profile.head);
  return sums;
}

function table(title: string, sums: ReadonlyMap<string, number>, calls: number, rows: number, unit = "µs"): string {
  const total = [...sums.values()].reduce((sum, us) => sum + us, 0);
  const largest = [...sums].sort(([, a], [, b]) => b - a).slice(0, rows);
  const lines = largest.map(
    ([name, us]) =>
      `  ${((us * 100) / total).toFixed(1).padStart(5)} %  ${(us / calls).toFixed(1).padStart(7)} ${unit}  ${name}`,
  );
  return [`${title} (${(total / calls).toFixed(0)} ${unit} per call)`, ...lines].join("\n");
}

function functionOf({ callFrame }: Node): string {
  const { functionName, url, lineNumber } = callFrame;
  const file = url.slice(url.lastIndexOf("/") + 1);
  return `${functionName || "(anonymous)"} ${placeOf(callFrame)} ${file}:${lineNumber + 1}`;
}

/** Formats the self time per call by package and room, and that of the functions with the most. */
export function summarizeProfile(profile: Profile, calls: number): string {
  return [
    table(
      "Self time by package and room",
      sumBy(profile, ({ callFrame }) => placeOf(callFrame)),
      calls,
      40,
    ),
    table("Self time by function", sumBy(profile, functionOf), calls, 60),
  ].join("\n");
}

/** Formats the allocations per call in the same way. */
export function summarizeAllocations(profile: AllocationProfile, calls: number): string {
  const places = sumAllocations(profile, ({ callFrame }) => placeOf(callFrame));
  return [
    table("Allocated by package and room", places, calls, 40, "bytes"),
    table("Allocated by function", sumAllocations(profile, functionOf), calls, 60, "bytes"),
  ].join("\n");
}
