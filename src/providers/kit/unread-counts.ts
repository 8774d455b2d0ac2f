import { hasValue, isFields } from "./metadata.ts";

/** Members of a usage that somebody reads, by name. `true`: with all that is inside. */
interface ReadCounts {
  readonly [name: string]: true | ReadCounts;
}

/** Returns the members at these places (`Place` in usage-reader.ts). */
export function readCounts(places: readonly string[]): ReadCounts {
  const tree: Record<string, true | ReadCounts> = Object.create(null);
  for (const place of places) {
    // A condition on the items of a list, such as `[modality=AUDIO]`, reads the member that it names.
    const [, list = "", field] = /^(.*?)\[(\w+)=/.exec(place) ?? [];
    if (field !== undefined) addPath(tree, `${list}.${field}`.split("."));
    addPath(tree, place.replaceAll(/\[.*?\]/g, "").split("."));
  }
  return tree;
}

function addPath(tree: Record<string, true | ReadCounts>, [name = "", ...rest]: readonly string[]): void {
  const inner = tree[name];
  if (inner === true) return;
  if (rest.length === 0) {
    tree[name] = true;
    return;
  }
  const branch: Record<string, true | ReadCounts> = inner ?? Object.create(null);
  tree[name] = branch;
  addPath(branch, rest);
}

const nothing: ReadCounts = {};

/** Returns the members of a usage that are not in `read`. Zeros and members without a value say nothing. */
export function unreadCounts(usage: unknown, read: ReadCounts): Readonly<Record<string, unknown>> {
  const rest: Record<string, unknown> = {};
  if (!isFields(usage)) return rest;
  for (const name in usage) {
    const known = read[name];
    if (known === true) continue;
    const value = unreadIn(usage[name], known ?? nothing);
    if (value !== 0 && value !== false && hasValue(value)) rest[name] = value;
  }
  return rest;
}

function unreadIn(value: unknown, read: ReadCounts): unknown {
  if (Array.isArray(value)) return value.map((item) => unreadIn(item, read)).filter(hasValue);
  return isFields(value) ? unreadCounts(value, read) : value;
}
