import { closeSync, constants, openSync } from "node:fs";

// Time in which npm passes on a signal that the process has also got itself.
const npmEchoMs = 500;

// Interval between looks at the parent process under npm.
const parentCheckMs = 250;

interface SignalActions {
  stop(signal: NodeJS.Signals): void;
  reload(): void;
}

/**
 * Calls `stop` for each SIGTERM and SIGINT, and `reload` for SIGHUP. But a terminal that closes sends SIGHUP too, and
 * then the process stops.
 *
 * npm needs two exceptions. Ctrl-C reaches the process twice under `npm start`: from the terminal and from npm. Under
 * `npx`, npm passes a signal to a shell that ends and leaves the process running, so the end of the parent counts as
 * SIGTERM. SIGHUP ends npm and its shell under any command.
 *
 * @param npmCommand The command of npm that runs the process. Undefined: none.
 */
export function onSignals(npmCommand: string | undefined, { stop, reload }: SignalActions): void {
  let last: { readonly signal: NodeJS.Signals; readonly at: number } | undefined;
  const onSignal = (signal: NodeJS.Signals): void => {
    const now = performance.now();
    if (npmCommand !== undefined && last?.signal === signal && now - last.at < npmEchoMs) return;
    last = { signal, at: now };
    stop(signal);
  };
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, onSignal);

  const parent = process.ppid;
  let timer: NodeJS.Timeout | undefined;
  const stopWithParent = (): void => {
    timer ??= setInterval(() => {
      if (process.ppid === parent) return;
      clearInterval(timer);
      // After Ctrl-C, the process has got the signal itself.
      if (last === undefined) onSignal("SIGTERM");
    }, parentCheckMs).unref();
  };
  if (npmCommand === "exec") stopWithParent();

  const hadTerminal = hasTerminal();
  process.on("SIGHUP", () => {
    if (process.platform === "win32" || (hadTerminal && !hasTerminal())) {
      onSignal("SIGHUP");
      return;
    }
    if (npmCommand !== undefined) stopWithParent();
    reload();
  });
}

/** Whether the process has a controlling terminal. It loses the terminal when that closes. */
function hasTerminal(): boolean {
  try {
    closeSync(openSync("/dev/tty", constants.O_RDONLY | constants.O_NOCTTY | constants.O_NONBLOCK));
    return true;
  } catch {
    return false;
  }
}
