/**
 * Appends items to a list. Unlike `list.push(...items)`, it takes any number of items: a call with more than about
 * 100,000 arguments throws a RangeError.
 */
export function append<Item>(list: Item[], items: Iterable<Item>): void {
  for (const item of items) list.push(item);
}
