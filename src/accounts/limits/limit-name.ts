import type { Claim } from "./limit-store.ts";

/** Name of a limit in a store. Claims with the same name share one state. */
export function limitName({ kind, holder, period }: Pick<Claim, "kind" | "holder" | "period">): string {
  return period === undefined ? `${kind}:${holder}` : `${kind}:${period.name}:${holder}`;
}
