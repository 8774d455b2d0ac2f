import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";
import { freePort, untilReady } from "../../processes.ts";
import { GrpcChatCaller } from "../grpc-caller.ts";
import { OpenAICaller } from "../openai-caller.ts";
import { type Cell, cellName, modelOf, type Scenario } from "../scenarios.ts";
import { modes } from "../texts.ts";
import type { Setting, System } from "./system.ts";

/** It takes longer on a machine that the peers already use. In ms. */
const startTimeoutMs = 60_000;

/** Name of a target's provider. Each target has its own, so that no cell changes the state of another. */
function providerOf(cell: Cell, target: string): string {
  return modelOf(cell, target).toLowerCase();
}

function routeOf(cell: Cell) {
  const { tiers, byLatency, maxAttempts, maxPerTarget, timeoutMs } = cell.scenario.rules;
  const wait = `${timeoutMs}ms`;
  return {
    tiers: tiers.map((targets) => ({
      targets: targets.map((target) => ({ model: `${providerOf(cell, target)}/${modelOf(cell, target)}` })),
      balance: byLatency ? "latency" : "weighted",
    })),
    attempts: { max: maxAttempts, per_target: maxPerTarget },
    timeouts: { first_output: wait, idle: wait, attempt: wait },
  };
}

function providerOfTarget({ rules }: Cell["scenario"], upstream: string) {
  const keys = rules.keys.map((name) => ({ name, value: name }));
  return { dialect: "chat-completions", base_url: upstream, keys };
}

/** Returns the configuration: a route for each cell. The breaker has its defaults. */
export function dragomanConfig(cells: readonly Cell[], upstream: string) {
  const targets = cells.flatMap((cell) => cell.scenario.rules.tiers.flat().map((target) => ({ cell, target })));
  return {
    log: { level: "warn" },
    providers: Object.fromEntries(
      targets.map(({ cell, target }) => [providerOf(cell, target), providerOfTarget(cell.scenario, upstream)]),
    ),
    routes: Object.fromEntries(cells.map((cell) => [cellName(cell), routeOf(cell)])),
  };
}

/** Starts Dragoman. It takes part twice: over OpenAI's HTTP API, and over gRPC where the scenario says so. */
export async function startDragoman({ processes, root, output, upstream, scenarios }: Setting): Promise<System[]> {
  const cellsOf = (scenario: Scenario) =>
    (scenario.grpc ? ["dragoman", "dragoman-grpc"] : ["dragoman"]).flatMap((system) =>
      modes.map((mode): Cell => ({ system, scenario, mode })),
    );
  const file = join(output, "dragoman.yaml");
  writeFileSync(file, stringify(dragomanConfig(scenarios.flatMap(cellsOf), upstream)));
  const rules = "routes, the default breaker";
  const [grpcPort, httpPort] = [await freePort(), await freePort()];
  processes.start("dragoman", [join(root, "src/main.ts"), "--config", file], {
    env: { DRAGOMAN_GRPC_ADDRESS: `127.0.0.1:${grpcPort}`, DRAGOMAN_HTTP_ADDRESS: `127.0.0.1:${httpPort}` },
    cwd: output,
  });
  const url = `http://127.0.0.1:${httpPort}`;
  await processes.whileAlive(untilReady(`${url}/readyz`, startTimeoutMs));
  return [
    {
      name: "dragoman",
      description: `Dragoman over OpenAI's HTTP API: ${rules}`,
      runs: () => true,
      callerOf: (cell) => ({ caller: new OpenAICaller(`${url}/v1`), model: cellName(cell) }),
    },
    {
      name: "dragoman-grpc",
      description: `Dragoman over gRPC: ${rules}`,
      runs: ({ grpc }) => grpc,
      callerOf: (cell) => ({ caller: new GrpcChatCaller(grpcPort), model: cellName(cell) }),
    },
  ];
}
