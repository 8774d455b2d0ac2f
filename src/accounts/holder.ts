import { pathSegment } from "../path-segment.ts";

/** Account and API key of a call. */
export interface CallOwner {
  readonly accountId: string;
  readonly keyId: string;
}

/** Reverses `holderOf`. */
export function ownerOf(holder: string): { readonly by: "account" | "key"; readonly id: string } {
  const end = holder.indexOf(":");
  const id = holder
    .slice(end + 1)
    .replaceAll("%2F", "/")
    .replaceAll("%25", "%");
  return { by: holder.slice(0, end) === "key" ? "key" : "account", id };
}

/** Names who shares limits and turns: the account or, for calls without an account, the API key. */
export function holderOf({ accountId, keyId }: CallOwner): string {
  return accountId === "" ? `key:${pathSegment(keyId)}` : `account:${pathSegment(accountId)}`;
}
