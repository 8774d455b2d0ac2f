// Time in which npm passes on a signal that the process has also got itself.
const npmEchoMs = 500;

// Interval between looks at the parent process under npx.
const parentCheckMs = 250;

/**
 * Calls `stop` for each SIGTERM, SIGINT, and SIGHUP, which a terminal sends when it closes.
 *
 * npm needs two exceptions. Ctrl-C reaches the process twice under `npm start`: from the terminal and from npm. Under
 * `npx`, npm passes a signal to a shell that ends and leaves the process running, so the end of the parent counts as
 * SIGTERM.
 *
 * @param npmCommand The command of npm that runs the process. Undefined: none.
 */
export function onStopSignal(npmCommand: string | undefined, stop: (signal: NodeJS.Signals) => void): void {
  let last: { readonly signal: NodeJS.Signals; readonly at: number } | undefined;
  const onSignal = (signal: NodeJS.Signals): void => {
    const now = performance.now();
    if (npmCommand !== undefined && last?.signal === signal && now - last.at < npmEchoMs) return;
    last = { signal, at: now };
    stop(signal);
  };
  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) process.on(signal, onSignal);
  if (npmCommand !== "exec") return;
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    // After Ctrl-C, the process has got the signal itself.
    if (last === undefined) onSignal("SIGTERM");
  }, parentCheckMs).unref();
}
