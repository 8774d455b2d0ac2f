import { Secret } from "./secret.ts";

/**
 * Whether two parts of a configuration are equal, secrets included. Functions, which come from the program and not from
 * the file, do not count.
 */
export function sameValue(one: unknown, other: unknown): boolean {
  if (Object.is(one, other)) return true;
  if (typeof one === "function" && typeof other === "function") return true;
  if (typeof one !== "object" || typeof other !== "object" || one === null || other === null) return false;
  if (Object.getPrototypeOf(one) !== Object.getPrototypeOf(other)) return false;
  if (one instanceof Secret && other instanceof Secret) return one.reveal() === other.reveal();
  if (one instanceof Uint8Array && other instanceof Uint8Array) return Buffer.compare(one, other) === 0;
  if (one instanceof RegExp) return String(one) === String(other);
  if (one instanceof Map || one instanceof Set) {
    return sameValue([...one], [...(other as Iterable<unknown>)]);
  }
  const [left, right] = [entriesOf(one), entriesOf(other)];
  return (
    left.size === right.size && [...left].every(([key, value]) => right.has(key) && sameValue(value, right.get(key)))
  );
}

/** Returns the members of an object or list that have a value. */
function entriesOf(value: object): ReadonlyMap<string, unknown> {
  return new Map(Object.entries(value).filter(([, member]) => member !== undefined));
}
