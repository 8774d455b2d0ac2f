import type { Secret } from "./secret.ts";

/** State that replicas share in Redis. */
export interface RedisSettings {
  /** URL of the server, which can contain a password. */
  readonly url: Secret;
  /** URL without its password, for people. */
  readonly shownUrl: string;
  /** First part of the names of all keys. Services with the same prefix share limits and budgets. */
  readonly prefix: string;
}
