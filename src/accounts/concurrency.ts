import { GatewayError } from "../errors.ts";
import { type CallOwner, holderOf } from "./holder.ts";

/** Owner and model of a call. */
interface SlotHolder extends CallOwner {
  /** Model.id. */
  readonly model: string;
}

/** Retry delay in the error CONCURRENCY_LIMITED, in ms: shorter than most calls, each of which frees a slot. */
const retryAfterMs = 1000;

/** Counts the calls in progress of each account at each model. */
export class CallSlots {
  readonly #taken = new Map<string, number>();

  /**
   * Takes a slot and returns the function that releases it, to be called once. Throws CONCURRENCY_LIMITED if the
   * account already has `limit` calls in progress at the model.
   */
  take({ model, ...owner }: SlotHolder, limit: number): () => void {
    const subject = `${holderOf(owner)}/model:${model}`;
    const taken = this.#taken.get(subject) ?? 0;
    if (taken >= limit) {
      const description = `at most ${limit} concurrent calls per account to the model ${model}`;
      throw new GatewayError("CONCURRENCY_LIMITED", `rate limited: ${description}; retry when one of them ends`, {
        metadata: { model, limit: String(limit) },
        quota: { subject, description },
        retryAfterMs,
      });
    }
    this.#taken.set(subject, taken + 1);
    return () => {
      const left = (this.#taken.get(subject) ?? 1) - 1;
      // Delete the entry at zero calls, so that idle accounts use no memory.
      if (left > 0) this.#taken.set(subject, left);
      else this.#taken.delete(subject);
    };
  }
}
