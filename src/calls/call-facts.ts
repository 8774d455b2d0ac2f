import type { CallRecord } from "../ledger/record.ts";

/** Fields of the call record that become known while the call runs. */
export type CallFacts = Pick<
  CallRecord,
  "accountId" | "user" | "labels" | "route" | "model" | "provider" | "profile" | "attempts"
> & {
  /** Whether the caller requested a stream. Undefined: it is not known yet, or the method says so. */
  readonly stream?: boolean;
};

/** Facts of a call that has just begun. */
export const unknownFacts: CallFacts = {
  ...{ accountId: "", user: "", labels: {} },
  ...{ route: "", model: "", provider: "", profile: "" },
  attempts: [],
};
