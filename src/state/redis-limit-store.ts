import type { Claim, Decision, Left, LimitStore } from "../accounts/limits/limit-store.ts";
import type { StoreLossPolicy } from "../config/account.ts";
import type { RedisSettings } from "../config/state.ts";
import { KnownBudgets, LocalLimits } from "./local-limits.ts";
import { decodeDecision, isRate, type Renewal, toWire, type WireClaim } from "./message.ts";
import { PendingWork } from "./pending-work.ts";
import { type ChannelTimes, RedisChannel, type SentMessage } from "./redis-channel.ts";

/** Whether the store that replicas share makes the decisions. */
export interface StoreState {
  readonly shared: boolean;
  /** Since when, in ms since 1970. */
  readonly sinceMs: number;
  /** Why the store does not. Empty if it does. */
  readonly reason: string;
  /** Number of replicas, as far as this one knows. */
  readonly replicas: number;
  /** Number of calls and limits that the store does not know about yet. */
  readonly pending: number;
}

interface Options extends Partial<ChannelTimes> {
  /** Called when the store is lost, and when it is back. Default: nothing happens. */
  readonly onChange?: (state: StoreState) => void;
}

/** Default times in ms. */
const usual: ChannelTimes = { timeoutMs: 50, leaseMs: 60_000, probeMs: 250 };

/** A call that waits for a decision. */
interface Reservation {
  readonly callId: string;
  readonly claims: readonly Claim[];
  readonly wire: readonly WireClaim[];
  readonly onLoss: StoreLossPolicy;
  readonly resolve: (decision: Decision) => void;
}

/** A call in progress. */
interface CallInProgress {
  readonly claims: readonly Claim[];
  /** What it holds of each claim. Undefined: nothing. */
  readonly holds: readonly (number | undefined)[];
  /** The limits that let it in without the store. Undefined: the store did. */
  readonly local: LocalLimits | undefined;
  /** Whether the store has its leases. */
  isShared: boolean;
}

/** Maximum calls that one message decides about. */
const mostReservations = 64;

/** Time in ms for the last messages before the end of the process. */
const closeMs = 1000;

/**
 * Counts limits in Redis, for all replicas. If Redis does not reply in time, this process decides, until Redis does
 * again (docs/limits.md). Nothing is counted twice, however a connection ends (redis-channel.ts).
 */
export class RedisLimitStore implements LimitStore {
  readonly #channel: RedisChannel<readonly Reservation[]>;
  readonly #onChange: (state: StoreState) => void;
  readonly #calls = new Map<string, CallInProgress>();
  readonly #work = new PendingWork();
  readonly #budgets = new KnownBudgets();
  readonly #renewing: NodeJS.Timeout;
  /** Limits of this process, while the channel is closed. */
  #local: LocalLimits | undefined;
  #queue: Reservation[] = [];
  #isFlushing = false;
  #sinceMs = Date.now();
  #onIdle: (() => void) | undefined;
  #isClosing = false;

  constructor(settings: RedisSettings, { onChange = () => {}, ...times }: Options = {}) {
    const all = { ...usual, ...times };
    this.#onChange = onChange;
    this.#channel = new RedisChannel(settings, all, {
      done: (waiting, lines) => this.#decided(waiting, lines),
      opened: (ran, lost) => this.#found(ran, lost),
      closed: (unanswered) => this.#lost(unanswered),
    });
    this.#renewing = setInterval(() => this.#renew(), all.leaseMs / 3).unref();
  }

  get state(): StoreState {
    const { isOpen, reason, replicas, unanswered } = this.#channel;
    return { shared: isOpen, sinceMs: this.#sinceMs, reason, replicas, pending: this.#work.size + unanswered };
  }

  /** Resolves when Redis has responded, or failed to, for the first time. */
  get tried(): Promise<void> {
    return this.#channel.tried;
  }

  reserve(callId: string, claims: readonly Claim[], onLoss: StoreLossPolicy = "local"): Decision | Promise<Decision> {
    if (!this.#channel.isOpen) return this.#decideHere(callId, claims, onLoss);
    return new Promise((resolve) => {
      this.#queue.push({ callId, claims, wire: claims.map((claim) => toWire(claim)), onLoss, resolve });
      this.#flushSoon();
    });
  }

  settle(callId: string, used: readonly number[]): void {
    const call = this.#calls.get(callId);
    if (call === undefined) return;
    this.#calls.delete(callId);
    const { claims, holds, local, isShared } = call;
    (local ?? this.#local)?.settle(callId, used);
    const amounts: number[] = [];
    const wire: WireClaim[] = [];
    claims.forEach((claim, index) => {
      const [hold, amount = 0] = [holds[index], used[index]];
      // Rates that a call took of this process alone have been charged, or have leaked (`#found`).
      if (hold === undefined || (local !== undefined && isRate(claim))) return;
      if (!isShared) {
        if (claim.kind === "budget") this.#work.charge(toWire(claim, amount));
        return;
      }
      amounts.push(amount);
      wire.push(toWire(claim, hold));
    });
    if (wire.length > 0) this.#work.settle([callId, amounts, wire]);
    this.#flushSoon();
  }

  left(claims: readonly Claim[]): readonly Left[] | Promise<readonly Left[]> {
    if (!this.#channel.isOpen) return this.#here().left(claims);
    // An empty id takes nothing.
    return Promise.resolve(this.reserve("", claims)).then(({ left }) => left);
  }

  /** Tells Redis what it does not know yet, for at most a second, and ends the connection. */
  async close(): Promise<void> {
    this.#isClosing = true;
    clearInterval(this.#renewing);
    if (this.#channel.isOpen && !this.#isIdle) {
      await new Promise<void>((resolve) => {
        this.#onIdle = resolve;
        setTimeout(resolve, closeMs).unref();
        this.#flushSoon();
      });
    }
    await this.#channel.end();
  }

  get #isIdle(): boolean {
    return this.#work.isEmpty && this.#queue.length === 0 && this.#channel.unanswered === 0;
  }

  #flushSoon(): void {
    if (this.#isFlushing || !this.#channel.isOpen) return;
    this.#isFlushing = true;
    setImmediate(() => {
      this.#isFlushing = false;
      while (this.#channel.isOpen && (this.#queue.length > 0 || !this.#work.isEmpty)) {
        const waiting = this.#queue.splice(0, mostReservations);
        const reservations = waiting.map(({ callId, wire }) => [callId, wire] as const);
        this.#channel.send({ ...this.#work.take(), reservations }, waiting);
      }
    });
  }

  #decided(waiting: readonly Reservation[], lines: readonly string[]): void {
    waiting.forEach(({ callId, claims, resolve }, index) => {
      const { holds, ...decision } = decodeDecision(lines[index] ?? "");
      this.#budgets.note(claims, decision);
      if (decision.refusedBy === undefined && callId !== "") {
        this.#calls.set(callId, { claims, holds, local: undefined, isShared: true });
      }
      resolve(decision);
    });
    if (this.#isIdle) this.#onIdle?.();
  }

  /** The store is back. Tells it what happened without it. */
  #found(ran: readonly Sent[], lost: readonly Sent[]): void {
    for (const { work } of lost.toReversed()) this.#work.restore(work);
    // These calls may hold something that nobody else knows of: the process decided without the reply.
    for (const { waiting } of ran) for (const { callId, claims } of waiting) this.#cancel(callId, claims);
    for (const charge of this.#local?.charges() ?? []) this.#work.charge(charge);
    this.#local = undefined;
    this.#sinceMs = Date.now();
    this.#onChange(this.state);
    this.#renew();
  }

  #cancel(callId: string, claims: readonly Claim[]): void {
    if (callId === "") return;
    // Only the reply would have said whether a shadow limit counts the call.
    const wire = claims.filter((claim) => !(claim.shadow && isRate(claim))).map((claim) => toWire(claim));
    this.#work.settle([callId, wire.map(() => 0), wire]);
  }

  /** The store is lost: this process decides from now on. */
  #lost(unanswered: readonly (readonly Reservation[])[]): void {
    this.#sinceMs = Date.now();
    const waiting = [...unanswered.flat(), ...this.#queue];
    this.#queue = [];
    for (const { callId, claims, onLoss, resolve } of waiting) resolve(this.#decideHere(callId, claims, onLoss));
    this.#onIdle?.();
    if (!this.#isClosing) this.#onChange(this.state);
  }

  #decideHere(callId: string, claims: readonly Claim[], onLoss: StoreLossPolicy): Decision {
    const local = this.#here();
    if (onLoss === "deny" || callId === "") {
      return { refusedBy: undefined, waitMs: undefined, left: local.left(claims), shadowed: [], shared: false };
    }
    const decision = onLoss === "allow" ? local.force(callId, claims) : local.reserve(callId, claims);
    if (decision.refusedBy === undefined) {
      const holds = claims.map(({ hold }, index) => (decision.shadowed.includes(index) ? undefined : hold));
      this.#calls.set(callId, { claims, holds, local, isShared: false });
    }
    return decision;
  }

  /** Returns the limits of this process. The calls in progress count from the beginning. */
  #here(): LocalLimits {
    if (this.#local !== undefined) return this.#local;
    this.#local = new LocalLimits(this.#budgets, this.#channel.replicas);
    for (const [callId, { claims }] of this.#calls) {
      const calls = claims.filter(({ kind }) => kind === "calls");
      if (calls.length > 0) this.#local.force(callId, calls);
    }
    return this.#local;
  }

  /** Renews the leases of all calls in progress. The store gets those that it does not have. */
  #renew(): void {
    if (!this.#channel.isOpen) return;
    const renewals: Renewal[] = [];
    for (const [callId, call] of this.#calls) {
      const wire = call.claims.flatMap((claim, index) => {
        const hold = call.holds[index];
        return hold === undefined || isRate(claim) ? [] : [toWire(claim, hold)];
      });
      call.isShared = true;
      if (wire.length > 0) renewals.push([callId, wire]);
    }
    this.#work.renew(renewals);
    this.#flushSoon();
  }
}

type Sent = SentMessage<readonly Reservation[]>;
