import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";
import { installLitellm, litellmVersion, startLitellmProcess } from "../../peers/litellm.ts";
import { OpenAICaller } from "../openai-caller.ts";
import { type Cell, cellName, modelOf, type Rules, type Scenario } from "../scenarios.ts";
import { modes } from "../texts.ts";
import type { Setting, System } from "./system.ts";

/**
 * Groups of scenarios that one process can serve: strategy and cooldowns belong to the process.
 * `allowed_fails: 3` equals LiteLLM's default, and a single target of a group would then never cool.
 */
const kinds = {
  plain: { routing_strategy: "simple-shuffle", disable_cooldowns: true },
  latency: { routing_strategy: "latency-based-routing", routing_strategy_args: { ttl: 10 }, disable_cooldowns: true },
  cooldown: { routing_strategy: "simple-shuffle", allowed_fails: 2, cooldown_time: 30 },
} as const;

/** Key of the proxy. */
const key = "sk-bench";

type Kind = keyof typeof kinds;

function kindOf({ byLatency, cooldown }: Rules): Kind {
  if (byLatency) return "latency";
  return cooldown ? "cooldown" : "plain";
}

/** Retries within a group of equal targets. A move to the next tier is LiteLLM's fallback, and no retry. */
function retriesOf({ tiers, keys, maxPerTarget }: Rules): number {
  const [first = []] = tiers;
  return Math.max(maxPerTarget, first.length * keys.length) - 1;
}

/** Name of a tier's group. The first tier has the name that callers request. */
function groupOf(cell: Cell, tier: number): string {
  return tier === 0 ? cellName(cell) : `${cellName(cell)}.tier${tier}`;
}

function litellmConfig(kind: Kind, cells: readonly Cell[], upstream: string) {
  const models = cells.flatMap((cell) =>
    cell.scenario.rules.tiers.flatMap((targets, tier) =>
      targets.flatMap((target) =>
        cell.scenario.rules.keys.map((apiKey) => ({
          model_name: groupOf(cell, tier),
          litellm_params: {
            model: `openai/${modelOf(cell, target)}`,
            api_base: upstream,
            api_key: apiKey,
            timeout: cell.scenario.rules.timeoutMs / 1000,
            stream_timeout: cell.scenario.rules.timeoutMs / 1000,
          },
        })),
      ),
    ),
  );
  const fallbacks = cells
    .filter((cell) => cell.scenario.rules.tiers.length > 1)
    .map((cell) => ({
      [groupOf(cell, 0)]: cell.scenario.rules.tiers.slice(1).map((_, tier) => groupOf(cell, tier + 1)),
    }));
  return {
    model_list: models,
    router_settings: { ...kinds[kind], num_retries: 0, fallbacks },
    general_settings: { master_key: key, cancel_on_disconnect: true },
  };
}

async function startKind(setting: Setting, program: string, kind: Kind, cells: readonly Cell[]): Promise<string> {
  const { processes, output, upstream } = setting;
  const file = join(output, `litellm-${kind}.yaml`);
  writeFileSync(file, stringify(litellmConfig(kind, cells, upstream)));
  const { url } = await startLitellmProcess(processes, { program, name: `litellm-${kind}`, file, output });
  return url;
}

/** Starts one LiteLLM proxy for each kind of scenario. */
export async function startLitellm(setting: Setting): Promise<System> {
  const program = await installLitellm(setting.root);
  const system = "litellm";
  const cellsOf = (scenario: Scenario) => modes.map((mode): Cell => ({ system, scenario, mode }));
  const byKind = Map.groupBy(setting.scenarios, ({ rules }) => kindOf(rules));
  const started = [...byKind].map(
    async ([kind, scenarios]) => [kind, await startKind(setting, program, kind, scenarios.flatMap(cellsOf))] as const,
  );
  const urls = new Map(await Promise.all(started));
  return {
    name: system,
    description: `LiteLLM ${litellmVersion}, one worker, cancel_on_disconnect on`,
    runs: () => true,
    callerOf(cell) {
      const url = urls.get(kindOf(cell.scenario.rules));
      if (url === undefined) throw new Error(`no LiteLLM proxy for ${cell.scenario.name}`);
      const retries = String(retriesOf(cell.scenario.rules));
      const headers = { authorization: `Bearer ${key}`, "x-litellm-num-retries": retries };
      return { caller: new OpenAICaller(`${url}/v1`, headers), model: cellName(cell) };
    },
  };
}
