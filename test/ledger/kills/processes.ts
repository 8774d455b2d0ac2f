import type { Block } from "./block.ts";
import type { Load } from "./load.ts";

const random = (below: number) => Math.floor(Math.random() * below);

/** A random number of moments of a load: mostly some hundred, and sometimes the first ones. */
export const someMoments = () => 1 + random(random(4) === 0 ? 30 : 400);

const tookOver = "took over the outbox of a process that has ended";

/**
 * Kills a process under load in each round. Its successor takes over its outbox, under load too.
 *
 * @param moments returns how long the load lasts before a process is killed
 */
export async function killOneProcess(block: Block, rounds: number, moments = someMoments): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    const load = await block.start();
    if (round % 5 === 3) await Promise.race([load.service.logged(tookOver), load.after(400)]);
    else await load.after(moments());
    if (round % 5 === 4) await load.killWhileStopping();
    else await load.kill();
  }
}

/**
 * Kills one or both of two processes that share an outbox and a database, and replaces them. Load is on each all the time.
 *
 * @param waits whether the survivor of the last round takes over the outbox, which it does within a minute
 * @param moments returns how long the load lasts before a process is killed
 */
export async function killOfTwoProcesses(
  block: Block,
  rounds: number,
  waits: boolean,
  moments = someMoments,
): Promise<void> {
  let pair: readonly Load[] = await Promise.all([block.start(), block.start()]);
  for (let round = 0; round < rounds; round++) {
    const isLast = waits && round === rounds - 1;
    const victims = pair.filter((_, index) => round % 3 === 2 || index === round % 2).slice(0, isLast ? 1 : 2);
    await Promise.all(victims.map((load) => load.after(moments()).then(() => load.kill())));
    const survivors = pair.filter((load) => !victims.includes(load));
    if (isLast) await Promise.all(survivors.map(untilTakenOver));
    pair = [...survivors, ...(await Promise.all(victims.map(() => block.start())))];
  }
}

/** Resolves when a process has taken over one more outbox, or has ended. */
async function untilTakenOver(load: Load): Promise<void> {
  const count = () => load.service.log.filter(({ msg }) => msg === tookOver).length;
  for (const before = count(); count() === before && load.service.child.exitCode === null; ) await load.after(1);
}
