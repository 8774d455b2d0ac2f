/** Returns the names of the properties of an object that `read` does not have. Skips those without a value. */
export function unreadNames(value: object, read: object): readonly string[] {
  return Object.entries(value).flatMap(([name, entry]) =>
    Object.hasOwn(read, name) || isNothing(entry) ? [] : [name],
  );
}

function isNothing(value: unknown): boolean {
  return value === null || value === undefined || (Array.isArray(value) && value.length === 0);
}
