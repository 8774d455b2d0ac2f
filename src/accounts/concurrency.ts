import { GatewayError } from "../errors.ts";
import { pathSegment } from "../path-segment.ts";

/** Who has a call under way, and at which model. */
interface SlotHolder {
  readonly accountId: string;
  /** Counts in the account's place where there is none. */
  readonly keyId: string;
  /** Model.id. */
  readonly model: string;
}

/** Counts the calls under way of each account at each model. */
export class CallSlots {
  readonly #taken = new Map<string, number>();

  /**
   * Takes a slot, and returns the function that gives it back, to be called once. Throws CONCURRENCY_LIMITED when the
   * account has `limit` calls under way at the model.
   */
  take({ accountId, keyId, model }: SlotHolder, limit: number): () => void {
    const holder = accountId === "" ? `key:${pathSegment(keyId)}` : `account:${pathSegment(accountId)}`;
    const subject = `${holder}/model:${model}`;
    const taken = this.#taken.get(subject) ?? 0;
    if (taken >= limit) {
      const most = `${limit} concurrent calls at the model ${model}`;
      throw new GatewayError("CONCURRENCY_LIMITED", `rate limited: an account may have ${most}; wait until one ends`, {
        metadata: { model, limit: String(limit) },
        quota: { subject, description: `at most ${most}` },
      });
    }
    this.#taken.set(subject, taken + 1);
    return () => {
      const left = (this.#taken.get(subject) ?? 1) - 1;
      // Nothing stays of an account that has no calls.
      if (left > 0) this.#taken.set(subject, left);
      else this.#taken.delete(subject);
    };
  }
}
