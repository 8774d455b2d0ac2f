import { durationFromMs } from "@bufbuild/protobuf/wkt";
import { GatewayError, type Reason, toGatewayError } from "../errors.ts";
import { type Attempt, AttemptOutcome } from "../gen/dragoman/v1/attempt_pb.js";
import type { Model } from "../gen/dragoman/v1/model_pb.js";
import type { Usage } from "../gen/dragoman/v1/usage_pb.js";
import { targetName } from "./target.ts";

/** What the record of an attempt needs to know about its call. */
export interface AttemptOrigin {
  /** Aborts the attempt. The abort reason is a GatewayError. */
  readonly signal: AbortSignal;
  /** Returns the milliseconds since the call began. Undefined: the attempt has no start offset. */
  readonly elapsedMs?: () => number;
  /**
   * Returns the usage of the upstream request with its cost. Called once, if it may have used tokens. Default: the usage
   * itself.
   */
  readonly charge?: (usage: Usage, serviceTier: string) => Usage;
  /** Choice that the attempt is for. Undefined: it is for all choices. */
  readonly choiceIndex?: number;
  /** Called once, at the first sign of output. */
  readonly onOutput?: (attempt: Attempt) => void;
  /** Called once, when the upstream request ends, whatever the outcome. */
  readonly onEnd?: (attempt: Attempt) => void;
}

/** Abort reason of an attempt that took too long. */
export class AttemptCut extends GatewayError {
  /** Outcome of the attempt: ABANDONED if the target may not be at fault. */
  readonly outcome: AttemptOutcome.FAILED | AttemptOutcome.ABANDONED;

  constructor(outcome: AttemptCut["outcome"], message: string) {
    super("PROVIDER_TIMEOUT", message);
    this.outcome = outcome;
  }
}

/** Fills in the Attempt of one upstream request while it runs. */
export class AttemptRecord {
  readonly attempt: Attempt;
  readonly #origin: AttemptOrigin;
  #beginMs: number | undefined;
  #hasEnded = false;
  #hasSign = false;

  /** @param credential name of the key that the attempt uses. Default: none. */
  constructor({ provider, providerModel }: Model, origin: AttemptOrigin, credential = "") {
    const { signal, choiceIndex } = origin;
    this.#origin = origin;
    const target = targetName({ provider, providerModel });
    // A literal, which takes a tenth of the time of create().
    this.attempt = {
      $typeName: "dragoman.v1.Attempt",
      provider,
      providerModel,
      target,
      credential,
      failureReason: "",
      httpStatus: 0,
      providerRequestId: "",
      providerResponseId: "",
      providerLimits: {},
      outcome: AttemptOutcome.UNSPECIFIED,
      serviceTier: "",
    };
    if (choiceIndex !== undefined) this.attempt.choiceIndex = choiceIndex;
    // The record of an aborted call is written in the same turn, before the attempt can throw. An abort also ends an
    // attempt that was never started.
    if (signal.aborted) this.#abandon();
    else signal.addEventListener("abort", this.#abandon);
  }

  /** The upstream request starts now. */
  begin(): void {
    this.#beginMs = performance.now();
    const { elapsedMs } = this.#origin;
    if (elapsedMs !== undefined) this.attempt.startOffset = durationFromMs(Math.round(elapsedMs()));
  }

  /** The first output has arrived. Later calls have no effect. */
  output(): void {
    if (this.attempt.firstOutputDuration !== undefined) return;
    const duration = this.#sinceBegin();
    if (duration === undefined) return;
    this.attempt.firstOutputDuration = duration;
    this.sign();
  }

  /** The response has begun to have output, which the caller may not receive. Later calls have no effect. */
  readonly sign = (): void => {
    if (this.#hasSign) return;
    this.#hasSign = true;
    this.#origin.onOutput?.(this.attempt);
  };

  /**
   * The response is complete. Has no effect after the end of the attempt.
   *
   * @param stated service tier that the provider states. Empty: it states none
   * @param requested service tier of the request, which applies if the provider states none
   */
  answered(usage: Usage, stated: string, requested: string): void {
    if (this.#hasEnded) return;
    this.attempt.serviceTier = stated;
    this.used(usage, stated || requested);
    this.#finish(AttemptOutcome.ANSWERED, "");
  }

  /** The provider has counted the tokens of a prompt, which uses none. */
  counted(): void {
    if (!this.#hasEnded) this.#finish(AttemptOutcome.ANSWERED, "");
  }

  /** The upstream request has used tokens. Has no effect if its usage is known already. */
  used(usage: Usage, serviceTier: string): void {
    this.attempt.usage ??= this.#origin.charge?.(usage, serviceTier) ?? usage;
  }

  /** The attempt has failed. A failure replaces the outcome ANSWERED, but not ABANDONED. */
  failed(reason: Reason): void {
    if (this.attempt.outcome === AttemptOutcome.ABANDONED) return;
    this.#finish(AttemptOutcome.FAILED, reason);
  }

  /** Nobody reads the response any more. Has an effect only if the attempt was neither answered nor failed. */
  end(): void {
    if (this.attempt.outcome === AttemptOutcome.UNSPECIFIED) this.#finish(AttemptOutcome.ABANDONED, "CANCELLED");
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#origin.signal.removeEventListener("abort", this.#abandon);
    this.#origin.onEnd?.(this.attempt);
  }

  readonly #abandon = (): void => {
    if (this.attempt.outcome === AttemptOutcome.UNSPECIFIED) {
      const { reason } = this.#origin.signal;
      const outcome = reason instanceof AttemptCut ? reason.outcome : AttemptOutcome.ABANDONED;
      this.#finish(outcome, toGatewayError(reason).reason);
    }
    this.end();
  };

  #finish(outcome: AttemptOutcome, reason: Reason | ""): void {
    const { attempt } = this;
    attempt.outcome = outcome;
    attempt.failureReason = reason;
    const duration = this.#sinceBegin();
    if (duration !== undefined) attempt.duration ??= duration;
  }

  /** Time since the upstream request started. Undefined if it has not started. */
  #sinceBegin() {
    return this.#beginMs === undefined ? undefined : durationFromMs(Math.round(performance.now() - this.#beginMs));
  }
}
