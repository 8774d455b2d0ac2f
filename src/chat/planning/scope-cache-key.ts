import { pathSegment } from "../../path-segment.ts";
import type { Draft } from "./draft.ts";
import type { PlanningContext } from "./planning-context.ts";

/**
 * Puts the account in front of the caller's prompt cache key, because providers share a cache between equal keys. Calls
 * without an account keep their key. If that key has a slash, it gets an empty prefix, so that it cannot equal the key
 * of an account.
 *
 * Runs before the support checks, which may drop the key.
 */
export function scopeCacheKey(draft: Draft, { account }: Pick<PlanningContext, "account">): Draft {
  const { promptCacheKey: key } = draft.request;
  if (key === "" || (account === "" && !key.includes("/"))) return draft;
  return { ...draft, request: { ...draft.request, promptCacheKey: `${pathSegment(account)}/${key}` } };
}
