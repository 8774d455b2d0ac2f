import type { Claim } from "./limit-store.ts";

type NamedLimit = Pick<Claim, "kind" | "holder" | "period">;

/** Names of the limits without a period of the holders that were used last: to join them for each call takes longer. */
const known: Readonly<Record<Claim["kind"], Map<string, string>>> = {
  requests: new Map(),
  tokens: new Map(),
  calls: new Map(),
  budget: new Map(),
};
/** Holders to remember for each kind. */
const mostKnown = 1024;

/** Name of a limit in a store. Claims with the same name share one state. */
export function limitName({ kind, holder, period }: NamedLimit): string {
  if (period !== undefined) return `${kind}:${period.name}:${holder}`;
  const ofKind = known[kind];
  let name = ofKind.get(holder);
  if (name === undefined) {
    if (ofKind.size >= mostKnown) ofKind.clear();
    name = `${kind}:${holder}`;
    ofKind.set(holder, name);
  }
  return name;
}
