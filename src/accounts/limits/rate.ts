/**
 * Rate limits: GCRA in its form as a leaky bucket. Each amount that is taken fills the bucket, and the bucket leaks
 * `limit` per minute. An amount fits if the bucket then has at most `limit`.
 *
 * The arithmetic is exact: time is whole microseconds, and what has leaked is a whole amount and a remainder in
 * 1/60,000,000. All values stay below 2^53 for limits up to 10^12, so that the Lua code in Redis, whose numbers are
 * doubles, computes the same (src/state/limits-library.ts).
 */
export const minuteUs = 60_000_000;

/** Largest amount in a bucket. Calls that use even more than that are charged with it. */
export const mostUsed = 2 ** 52;

/** State of a bucket. */
export interface Bucket {
  /** Whole amount in the bucket at `atUs`. */
  readonly used: number;
  /** What has leaked beyond that, in 1/60,000,000: less than 1. 0 if the bucket is empty. */
  readonly part: number;
  readonly atUs: number;
}

/** Returns a bucket after it has leaked until now. A clock that is set back leaks nothing until it has caught up. */
export function leak({ used, part, atUs }: Bucket, limit: number, nowUs: number): Bucket {
  const elapsedUs = nowUs - atUs;
  if (elapsedUs <= 0) return { used, part, atUs };
  const minutes = Math.floor(elapsedUs / minuteUs);
  const restUs = elapsedUs - minutes * minuteUs;
  const perUs = Math.floor(limit / minuteUs);
  const parts = (limit - perUs * minuteUs) * restUs + part;
  const whole = Math.floor(parts / minuteUs);
  // A sum above 2^53 is rounded, but such a bucket is empty.
  const leaked = minutes * limit + perUs * restUs + whole;
  if (leaked >= used) return { used: 0, part: 0, atUs: nowUs };
  return { used: used - leaked, part: parts - whole * minuteUs, atUs: nowUs };
}

/** Whether an amount fits. Nothing fits a limit of 0. */
export function fits({ used }: Bucket, limit: number, amount: number): boolean {
  return limit > 0 && used + amount <= limit;
}

/** Adds an amount, or takes it out again if it is negative. The bucket never has less than nothing. */
export function fill({ used, part, atUs }: Bucket, amount: number): Bucket {
  const sum = Math.min(used + amount, mostUsed);
  return sum > 0 ? { used: sum, part, atUs } : { used: 0, part: 0, atUs };
}

/** Returns the milliseconds until an amount fits, which does not fit now. Undefined: it never does. */
export function waitMs(bucket: Bucket, limit: number, amount: number): number | undefined {
  return amount > limit || limit === 0 ? undefined : leakMs(bucket, limit, bucket.used + amount - limit);
}

/** Returns the milliseconds until the bucket is empty. */
export function resetMs(bucket: Bucket, limit: number): number {
  return bucket.used === 0 || limit === 0 ? 0 : leakMs(bucket, limit, bucket.used);
}

function leakMs({ part }: Bucket, limit: number, amount: number): number {
  return Math.ceil(Math.ceil((amount * minuteUs - part) / limit) / 1000);
}
