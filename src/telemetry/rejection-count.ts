import type { CallObserver } from "../ledger/call-observer.ts";
import type { Rejections } from "../load/rejections.ts";

/** Counts the calls that began and then failed because a queue was full or the process was overloaded. */
export function createRejectionCount(rejections: Rejections): CallObserver {
  return {
    settled({ provider }, error) {
      if (error?.reason !== "QUEUE_FULL" && error?.reason !== "OVERLOADED") return;
      // Both names are few: bounds and queues are fixed, and records name only providers that exist.
      rejections.count(error.reason, error.facts.metadata?.bound ?? `provider ${provider}`);
    },
  };
}
