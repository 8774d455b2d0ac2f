import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createDatabase } from "../../../src/database/database.ts";
import { startConfigured } from "../../support/configured-process.ts";
import type { ServiceProcess } from "../../support/process.ts";
import { checkLedger, type Finding } from "./check.ts";
import { Load } from "./load.ts";
import { checkQueries } from "./queries.ts";

/** Maximum number of processes, each of which ships for some seconds, after the last round. */
const mostLastRuns = 20;

/** Halves the CPU time of a start. Processes that are not killed write it. */
const compileCache = join(tmpdir(), "dragoman-kills-cache");

/** URLs of a PostgreSQL database: the one that the service gets, and the one that the check uses. */
export interface PostgresUrls {
  readonly service: string;
  readonly check: string;
}

/** Some rounds with one outbox and one database, and the check of the ledger after the last. */
export class Block implements AsyncDisposable {
  readonly loads: Load[] = [];
  readonly #folder = mkdtempSync(join(tmpdir(), "dragoman-kills-"));
  readonly #outbox = join(this.#folder, "outbox");
  readonly #file = join(this.#folder, "dragoman.db");
  readonly #urls: PostgresUrls | undefined;

  /** @param urls Default: a SQLite file. */
  constructor(urls?: PostgresUrls) {
    this.#urls = urls;
  }

  /** Starts a process under load. */
  async start(): Promise<Load> {
    const load = new Load(await this.#startService());
    this.loads.push(load);
    return load;
  }

  /** Stops what runs, ships what is left by a process of its own, and checks the ledger. */
  async finish(): Promise<Finding> {
    await Promise.all(this.loads.filter(({ isKilled }) => !isKilled).map((load) => load.stop()));
    const problems = this.loads.flatMap((load) => load.problems);
    // A killed process leaves records, and a database that was cut off can hold locks for a minute.
    for (let run = 0; run === 0 || (run < mostLastRuns && readdirSync(this.#outbox).length > 0); run++) {
      problems.push(...(await this.#runLast()));
    }
    problems.push(...(await this.#runLast((last) => this.#read((database) => checkQueries(last, database)))));
    for (const name of readdirSync(this.#outbox)) problems.push(`the outbox still has ${name}`);
    const finding = await this.#read((database) => checkLedger(database, this.loads));
    return { ...finding, problems: [...problems, ...finding.problems] };
  }

  /** Runs a process without load that takes over and ships what is left. Returns the problems. */
  async #runLast(check: (service: ServiceProcess) => Promise<readonly string[]> = async () => []) {
    await using service = await this.#startService();
    const problems = await check(service);
    service.child.kill("SIGTERM");
    const [code, signal] = await service.exited;
    return code === 0 ? problems : [...problems, `the last process did not stop by SIGTERM (${code ?? signal})`];
  }

  async [Symbol.asyncDispose]() {
    await Promise.all(this.loads.map((load) => load.service[Symbol.asyncDispose]()));
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #startService(): Promise<ServiceProcess> {
    const database = this.#urls?.service ?? `sqlite:${this.#file}`;
    // The harness is slow on a busy machine, and no call may be rejected because of that: the ledger has no such calls.
    const yaml = `
store: { outbox: ${this.#outbox}, database: "${database}" }
limits: { max_event_loop_lag: 0 }
prices: { echo/echo: { input: "1.25", output: "10" } }
`;
    return startConfigured(yaml, { NODE_COMPILE_CACHE: compileCache });
  }

  async #read<T>(work: (database: ReturnType<typeof createDatabase>) => Promise<T>): Promise<T> {
    const database = createDatabase(
      this.#urls ? { kind: "postgres", url: this.#urls.check } : { kind: "sqlite", path: this.#file },
    );
    try {
      return await work(database);
    } finally {
      await database.close();
    }
  }
}
