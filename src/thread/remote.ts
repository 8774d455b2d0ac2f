import type { Thread } from "./thread.ts";

/** Interface whose methods return promises. */
type Asynchronous<Api> = { readonly [Name in keyof Api]: (...parameters: never[]) => Promise<unknown> };

/**
 * Returns an interface that a thread implements.
 *
 * @param name name of the interface in the thread
 * @param timeoutsMs every method of the interface with its timeout in ms
 */
export function remote<Api extends Asynchronous<Api>>(
  thread: Pick<Thread, "call">,
  name: string,
  timeoutsMs: { readonly [Name in keyof Api & string]: number },
): Api {
  const methods = Object.entries<number>(timeoutsMs).map(([method, timeoutMs]) => [
    method,
    (...parameters: readonly unknown[]) => thread.call(`${name}.${method}`, parameters, timeoutMs),
  ]);
  // The timeouts have a method for each of the interface, and the thread's implementation has the same type.
  return Object.fromEntries(methods) as Api;
}
