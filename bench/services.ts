import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import type { Server } from "./bench.ts";
import type { Started } from "./measures/start.ts";
import { freePort, type ProcessGroup, untilReady } from "./processes.ts";

/** Request header with the key of bench/service.yaml. */
export const keyHeaders = { authorization: "Bearer bench" };

/** Name and key of the configuration of each part that the service can run without. */
const parts: Readonly<Record<string, readonly string[]>> = {
  "keys, limits and budget": ["authentication", "accounts"],
  "limits and budget": ["accounts"],
  ledger: ["store"],
  log: [],
};

export interface ServiceOptions {
  readonly name: string;
  readonly environment: Readonly<Record<string, string>>;
  /** The configuration as text. */
  readonly configuration: string;
  /** Whether to load bench/probe.ts. It takes memory and time at the start. */
  readonly isProbed?: boolean;
}

/** Starts services in a folder of the results. */
export class Services {
  readonly #root: string;
  readonly #output: string;
  readonly #processes: ProcessGroup;
  #count = 0;

  constructor(root: string, output: string, processes: ProcessGroup) {
    this.#root = root;
    this.#output = output;
    this.#processes = processes;
  }

  /** Text of bench/service.yaml. */
  get configuration(): string {
    return readFileSync(join(this.#root, "bench/service.yaml"), "utf8");
  }

  async start({ name, environment, configuration, isProbed = false }: ServiceOptions): Promise<Started> {
    const [grpcPort, httpPort] = [await freePort(), await freePort()];
    const id = `${name.replaceAll(/\W+/g, "-")}-${this.#count++}`;
    // Each has its own ledger.
    const own = configuration.replaceAll("sqlite:", `sqlite:${id}-`).replaceAll("outbox: ", `outbox: ${id}-`);
    const file = join(this.#output, `${id}.yaml`);
    writeFileSync(file, own);
    const probe = isProbed ? ["--import", new URL("./probe.ts", import.meta.url).href] : [];
    const began = performance.now();
    const child = this.#processes.start(id, [...probe, join(this.#root, "bin/main.cjs"), "--config", file], {
      env: {
        ...environment,
        // As bin/dragoman sets it.
        MALLOC_ARENA_MAX: "1",
        DRAGOMAN_GRPC_ADDRESS: `127.0.0.1:${grpcPort}`,
        DRAGOMAN_HTTP_ADDRESS: `127.0.0.1:${httpPort}`,
      },
      cwd: this.#output,
      channel: isProbed,
    });
    await this.#processes.whileAlive(untilReady(`http://127.0.0.1:${httpPort}/readyz`, 15_000, 5));
    return {
      name,
      pid: child.pid,
      ...(isProbed && { probed: child }),
      target: { protocol: "grpc", port: grpcPort, headers: keyHeaders },
      readyMs: performance.now() - began,
      stop: () => this.#processes.stopOne(child),
    };
  }

  /** Starts the service once without each part of bench/service.yaml. */
  async startWithoutParts(environment: Readonly<Record<string, string>>): Promise<ReadonlyMap<string, Server>> {
    const started = new Map<string, Server>();
    for (const [part, keys] of Object.entries(parts)) {
      const configuration = parse(this.configuration);
      for (const key of keys) delete configuration[key];
      if (part === "limits and budget") configuration.authentication.keys[0].accounts = undefined;
      const silent = part === "log" ? { DRAGOMAN_LOG_LEVEL: "warn" } : undefined;
      const text = stringify(JSON.parse(JSON.stringify(configuration)));
      started.set(
        part,
        await this.start({ name: `without ${part}`, environment: { ...environment, ...silent }, configuration: text }),
      );
    }
    return started;
  }
}
