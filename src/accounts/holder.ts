import { pathSegment } from "../path-segment.ts";

/** Account and API key of a call. */
export interface CallOwner {
  readonly accountId: string;
  readonly keyId: string;
}

/** Names who shares limits and turns: the account or, for calls without an account, the API key. */
export function holderOf({ accountId, keyId }: CallOwner): string {
  return accountId === "" ? `key:${pathSegment(keyId)}` : `account:${pathSegment(accountId)}`;
}
