import { limitName } from "../accounts/limits/limit-name.ts";
import type { Claim, Decision, Left } from "../accounts/limits/limit-store.ts";

/** A claim as limits.lua reads it. */
export type WireClaim = readonly [
  kind: 1 | 2 | 3,
  name: string,
  limit: number,
  hold: number,
  flags: number,
  endMs: number,
];

const kinds = { requests: 1, tokens: 1, calls: 2, budget: 3 } as const satisfies Record<Claim["kind"], number>;

export function isRate({ kind }: Pick<Claim, "kind">): boolean {
  return kinds[kind] === 1;
}

export function toWire(claim: Claim, hold = claim.hold): WireClaim {
  const flags = (claim.shadow ? 1 : 0) + (claim.flexible ? 2 : 0);
  return [kinds[claim.kind], limitName(claim), claim.limit, hold, flags, claim.period?.endMs ?? 0];
}

/** End of a call: what it used of the claims of which it holds something. */
export type Settlement = readonly [callId: string, used: readonly number[], claims: readonly WireClaim[]];

/** A call in progress whose leases are renewed, or written if the store does not have them. */
export type Renewal = readonly [callId: string, claims: readonly WireClaim[]];

/** What a message does, in this order. */
export interface Work {
  readonly settlements: readonly Settlement[];
  /** What the process let in while the store was away. The hold of a claim is the amount. */
  readonly charges: readonly WireClaim[];
  readonly renewals: readonly Renewal[];
  readonly reservations: readonly (readonly [callId: string, claims: readonly WireClaim[]])[];
  /** Whether the process says that it is alive, and asks for the number of replicas. */
  readonly counts: boolean;
}

/** Place of a message in the order of a replica's messages. */
export interface MessageNumber {
  readonly epoch: number;
  readonly number: number;
}

export function encodeMessage(replica: string, { epoch, number }: MessageNumber, leaseMs: number, work: Work): string {
  const { settlements, charges, renewals, reservations, counts } = work;
  const isCounting = counts ? 1 : 0;
  return JSON.stringify([
    ...[replica, epoch, number, leaseMs],
    ...[settlements, charges, renewals, reservations, isCounting],
  ]);
}

/** Message that begins an epoch. */
export function encodeBegin(replica: string, epoch: number, leaseMs: number): string {
  return JSON.stringify([replica, epoch, 1, leaseMs]);
}

/** Reply to the message that begins an epoch. */
export interface Begun {
  /** The last message that ran before. */
  readonly former: MessageNumber;
  readonly replicas: number;
}

export function decodeBegun(reply: string): Begun {
  const [word, epoch, number, replicas] = reply.split(" ");
  if (word !== "begun") throw new Error(`Redis replied ${reply.slice(0, 40)} to the beginning of an epoch`);
  return { former: { epoch: Number(epoch), number: Number(number) }, replicas: Number(replicas) };
}

/** Reply to a message: a line for each reservation. */
export interface Done {
  /** Undefined: the message did not ask. */
  readonly replicas: number | undefined;
  readonly lines: readonly string[];
}

export function decodeDone(reply: string): Done {
  const [head = "", ...lines] = reply.split("\n");
  const [word, replicas] = head.split(" ");
  if (word !== "done") throw new Error("Redis lost a message, or the state of this replica");
  return { replicas: replicas === undefined ? undefined : Number(replicas), lines };
}

/** A decision of the store, with what the call holds of each claim. Undefined: nothing. */
export interface SharedDecision extends Decision {
  readonly holds: readonly (number | undefined)[];
}

export function decodeDecision(line: string): SharedDecision {
  const [refused = 0, wait = 0, shadowed = 0, ...rest] = line.split(" ").map(Number);
  const holds: (number | undefined)[] = [];
  const left: Left[] = [];
  for (let index = 0; index < rest.length; index += 4) {
    const [hold = -1, remaining = 0, resetMs = 0, held = 0] = rest.slice(index, index + 4);
    holds.push(hold < 0 ? undefined : hold);
    left.push({ remaining, resetMs, held });
  }
  return {
    refusedBy: refused < 0 ? undefined : refused,
    waitMs: wait < 0 ? undefined : wait,
    shadowed:
      shadowed === 0 ? none : holds.flatMap((_, index) => (Math.floor(shadowed / 2 ** index) % 2 === 1 ? [index] : [])),
    left,
    holds,
    shared: true,
  };
}

const none: readonly number[] = [];
