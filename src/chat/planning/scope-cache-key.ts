import { pathSegment } from "../../path-segment.ts";
import type { Draft } from "./draft.ts";
import type { PlanningContext } from "./planning-context.ts";

/**
 * Providers keep prompt caches per key: with the account in it, accounts that chose the same key share nothing, nor do
 * they with calls without an account, whose key has no step before a slash.
 *
 * Before the checks, which may leave the key out.
 */
export function scopeCacheKey(draft: Draft, { account }: Pick<PlanningContext, "account">): Draft {
  const { promptCacheKey: key } = draft.request;
  if (key === "" || (account === "" && !key.includes("/"))) return draft;
  return { ...draft, request: { ...draft.request, promptCacheKey: `${pathSegment(account)}/${key}` } };
}
