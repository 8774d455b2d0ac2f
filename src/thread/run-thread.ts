import { parentPort } from "node:worker_threads";
import { type CallOrder, type Order, type Report, toSent } from "./messages.ts";

/** Methods of one interface, whatever their parameters. */
type Methods = Readonly<Record<string, (...parameters: never[]) => unknown>>;

/** What a thread does. */
interface ThreadWork {
  /** Interfaces that the process can call, by name. Parameters and results of their methods must be cloneable. */
  readonly interfaces: Readonly<Record<string, object>>;
  /** Ends the work, within `graceMs` milliseconds. The thread exits when the promise settles: if it rejects, by a fault. */
  close(graceMs: number): Promise<void>;
}

/** Sends an event to the process, from the thread. */
export function emit(event: string, value: unknown): void {
  parentPort?.postMessage({ event, value } satisfies Report);
}

/** Answers the calls that `Thread` sends. For the main module of a thread. */
export function runThread(work: ThreadWork): void {
  const post = (report: Report) => parentPort?.postMessage(report);
  parentPort?.on("message", (order: Order) => {
    if ("closeMs" in order) void work.close(order.closeMs).then(() => process.exit(0));
    else void answer(work.interfaces, order, post);
  });
}

/** Calls a method and posts its result or its error. */
export async function answer(
  interfaces: ThreadWork["interfaces"],
  { id, method: name, parameters }: CallOrder,
  post: (report: Report) => void,
): Promise<void> {
  try {
    const [owner = "", method = ""] = name.split(".");
    const methods = (interfaces as Readonly<Record<string, Methods | undefined>>)[owner];
    const run = methods?.[method];
    if (run === undefined) throw new Error(`the thread has no method ${name}`);
    post({ id, result: await run.apply(methods, parameters as never[]) });
  } catch (error) {
    post({ id, error: toSent(error) });
  }
}
