import { type LearnedField, nothingLearned, replaces } from "../chat/planning/learned.ts";
import type { NamedTarget } from "./target.ts";

/** Time for which Dragoman remembers a learned field: 24 hours. */
const lifetimeMs = 24 * 60 * 60 * 1000;

/** Maximum number of learned fields of all targets together. */
const maxEntries = 1_000;

interface Entry {
  readonly target: string;
  readonly learned: LearnedField;
}

/**
 * Fields that targets rejected although no caller wrote them. The process has one instance, which outlives snapshots:
 * a target is its provider, base URL and model, and not its adapter.
 */
export class LearnedFields {
  readonly #now: () => number;
  readonly #byTarget = new Map<string, readonly LearnedField[]>();
  /** All entries, the oldest first. */
  readonly #entries = new Set<Entry>();

  /** `now`: milliseconds since 1970. */
  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  /** Number of remembered fields. */
  get size(): number {
    return this.#entries.size;
  }

  /** Returns the time until which a field that is learned now is remembered, in milliseconds since 1970. */
  untilMs(): number {
    return this.#now() + lifetimeMs;
  }

  /** Returns the fields that a target rejected in the last 24 hours. */
  of(target: NamedTarget): readonly LearnedField[] {
    if (this.#entries.size === 0) return nothingLearned;
    this.#dropExpired();
    return this.#byTarget.get(keyOf(target)) ?? nothingLearned;
  }

  /** Remembers fields of a target. Forgets the oldest ones beyond the maximum. */
  add(target: NamedTarget, fields: readonly LearnedField[]): void {
    const key = keyOf(target);
    for (const learned of fields) {
      for (const entry of this.#entries) {
        if (entry.target === key && replaces(learned, entry.learned)) this.#drop(entry);
      }
      this.#entries.add({ target: key, learned });
      this.#byTarget.set(key, [...(this.#byTarget.get(key) ?? []), learned]);
    }
    for (const entry of this.#entries) {
      if (this.#entries.size <= maxEntries) break;
      this.#drop(entry);
    }
  }

  /** All entries live equally long, so the expired ones come first. */
  #dropExpired(): void {
    const now = this.#now();
    for (const entry of this.#entries) {
      if (entry.learned.untilMs > now) break;
      this.#drop(entry);
    }
  }

  #drop(entry: Entry): void {
    this.#entries.delete(entry);
    const rest = this.#byTarget.get(entry.target)?.filter((learned) => learned !== entry.learned) ?? [];
    if (rest.length === 0) this.#byTarget.delete(entry.target);
    else this.#byTarget.set(entry.target, rest);
  }
}

function keyOf({ model: { provider, providerModel }, adapter: { baseUrl = "" } }: NamedTarget): string {
  return JSON.stringify([provider, baseUrl, providerModel]);
}
