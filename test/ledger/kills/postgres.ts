import { Client } from "pg";
import { type CuttingRelay, startCuttingRelay } from "../../support/cutting-relay.ts";
import type { TestPostgres } from "../../support/postgres.ts";
import { Block } from "./block.ts";
import type { Load } from "./load.ts";
import { someMoments } from "./processes.ts";

interface Scene {
  readonly server: TestPostgres;
  readonly relay: CuttingRelay;
  /** The process under load. */
  readonly load: Load;
}

/** A fault of the database. Resolves when it has begun; then the process may be killed. `end` ends it. */
interface Fault {
  readonly name: string;
  begin(scene: Scene): Promise<unknown>;
  end?(scene: Scene): unknown;
}

const restart = ({ server }: Scene) => server.start();
const thaw = ({ relay }: Scene) => relay.cut();

const statements = ["begin", 'insert into "call"', 'insert into "usage_hour"', "commit"];

/** Faults in the order of the rounds. */
export const faults: readonly Fault[] = [
  { name: "stopped (fast)", begin: ({ server }) => server.stop("SIGINT"), end: restart },
  { name: "stopped (immediate)", begin: ({ server }) => server.stop("SIGQUIT"), end: restart },
  { name: "killed", begin: ({ server }) => server.kill(), end: restart },
  { name: "connections terminated", begin: ({ server }) => terminateConnections(server) },
  { name: "connections cut", begin: async ({ relay }) => relay.cut() },
  ...statements.flatMap((text): readonly Fault[] => [
    { name: `cut before ${text}`, begin: ({ relay }) => relay.cutBefore(text) },
    { name: `cut after ${text}`, begin: ({ relay }) => relay.cutAfter(text) },
  ]),
  { name: "frozen before commit", begin: ({ relay }) => relay.freezeBefore("commit"), end: thaw },
  { name: "frozen after commit", begin: ({ relay }) => relay.freezeAfter("commit"), end: thaw },
];

/**
 * Has a fault of PostgreSQL in each round, while a process under load ships to it. In every second pass through the
 * faults, the process is killed in the middle of the fault too.
 *
 * @param first number of the first round, which selects the fault
 */
export async function disturbPostgres(server: TestPostgres, first: number, rounds: number, waits: boolean) {
  const check = await server.createDatabase();
  const url = new URL(check);
  await using relay = await startCuttingRelay(server.port);
  url.port = String(relay.port);
  await using block = new Block({ service: url.href, check });
  let load = await block.start();
  for (let round = first; round < first + rounds; round++) {
    const fault = faults[round % faults.length];
    const isLast = waits && round === first + rounds - 1;
    const isKilled = !isLast && Math.floor(round / faults.length) % 2 === 1;
    const scene = { server, relay, load };
    await untilEnd(load, relay.passed("commit"));
    await load.after(someMoments());
    // The last connection freezes until its two ends notice that, which takes up to a minute.
    await untilEnd(load, isLast ? relay.freezeBefore("commit") : fault?.begin(scene));
    if (isKilled) await load.kill();
    else await load.after(someMoments());
    if (!isLast) await fault?.end?.(scene);
    if (isKilled) load = await block.start();
  }
  await untilEnd(load, relay.passed("commit"));
  return await block.finish();
}

/** Waits no longer than the process lives. */
function untilEnd({ service }: Load, work: Promise<unknown> | undefined): Promise<unknown> {
  return Promise.race([work, service.exited]);
}

async function terminateConnections({ port }: TestPostgres): Promise<void> {
  const client = new Client({ connectionString: `postgres://dragoman@127.0.0.1:${port}/postgres` });
  await client.connect();
  await client.query("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'dragoman'");
  await client.end();
}
