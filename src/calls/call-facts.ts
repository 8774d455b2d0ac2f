import type { CallRecord } from "../ledger/record.ts";

/** Fields of the call record that become known while the call runs. */
export type CallFacts = Pick<
  CallRecord,
  "accountId" | "user" | "labels" | "route" | "model" | "provider" | "profile" | "attempts"
>;

/** Facts of a call that has just begun. */
export const unknownFacts: CallFacts = {
  ...{ accountId: "", user: "", labels: {} },
  ...{ route: "", model: "", provider: "", profile: "" },
  attempts: [],
};
