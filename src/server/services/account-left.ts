import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { LeftOfClaim } from "../../accounts/limits/call-limits.ts";
import type { GetAccountResponseSchema } from "../../gen/dragoman/admin/v1/account_service_pb.js";

/** Describes what is left of an account's limits and budgets, as GetAccount returns it. */
export function leftMessages(all: readonly LeftOfClaim[]): MessageInitShape<typeof GetAccountResponseSchema> {
  const amountOf = (kind: LeftOfClaim["claim"]["kind"]): bigint | undefined => {
    const found = all.find(({ claim }) => claim.kind === kind);
    return found && BigInt(found.left.remaining);
  };
  const [requests, tokens, concurrentCalls] = [amountOf("requests"), amountOf("tokens"), amountOf("calls")];
  const budgetsLeft = all.flatMap(({ claim: { kind, period }, left: { remaining, held } }) =>
    kind === "budget" && period !== undefined
      ? [{ remainingNanos: BigInt(remaining), heldNanos: BigInt(held), resetTime: timestampFromMs(period.endMs) }]
      : [],
  );
  return {
    budgetRemainingNanos: budgetsLeft.map(({ remainingNanos }) => remainingNanos),
    budgetsLeft,
    limitsLeft: {
      ...(requests !== undefined && { requests }),
      ...(tokens !== undefined && { tokens }),
      ...(concurrentCalls !== undefined && { concurrentCalls }),
    },
  };
}
