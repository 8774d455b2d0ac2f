/**
 * Map that usually has one entry or none, which cost no memory of their own: routing has several of them for each call.
 * Its entries cannot be deleted.
 */
export class SmallMap<Key extends object, Value> {
  #key: Key | undefined;
  #value: Value | undefined;
  #others: Map<Key, Value> | undefined;

  has(key: Key): boolean {
    return key === this.#key || (this.#others?.has(key) ?? false);
  }

  get(key: Key): Value | undefined {
    return key === this.#key ? this.#value : this.#others?.get(key);
  }

  set(key: Key, value: Value): void {
    if (this.#key === undefined || this.#key === key) {
      this.#key = key;
      this.#value = value;
      return;
    }
    this.#others ??= new Map();
    this.#others.set(key, value);
  }

  /** Keys in the order in which they were added. */
  keys(): readonly Key[] {
    if (this.#key === undefined) return [];
    return this.#others === undefined ? [this.#key] : [this.#key, ...this.#others.keys()];
  }
}
