/** The prompts and the responses of the bench for routing. A response names its call, so that any mix-up is seen. */

/** How the response arrives: whole, or as server-sent events. */
export type Mode = "unary" | "stream";

export const modes = ["unary", "stream"] as const satisfies readonly Mode[];

/** A call of one cell (a scenario in one mode at one system). */
export interface CallNumber {
  /** From 0. */
  readonly call: number;
  /** Calls of the cell. */
  readonly calls: number;
}

export function promptOf({ call, calls }: CallNumber): string {
  return `This is call ${call} of ${calls}.`;
}

/** Finds the call in the body of a request. Throws if the body has no prompt of `promptOf`. */
export function callOf(body: string): CallNumber {
  const [, call, calls] = /This is call (\d+) of (\d+)\./.exec(body) ?? [];
  if (call === undefined || calls === undefined) throw new Error("the request has no prompt of the bench");
  return { call: Number(call), calls: Number(calls) };
}

/** Text of one delta. It has the numbers of its call and of the delta. */
export function deltaOf(call: number, index: number): string {
  return `c${call}d${index} `;
}

/** The whole text of the response to a call. */
export function textOf(call: number, deltas: number): string {
  return Array.from({ length: deltas }, (_, index) => deltaOf(call, index)).join("");
}
