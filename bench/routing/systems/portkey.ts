import { startPortkeyProcess } from "../../peers/portkey.ts";
import { OpenAICaller } from "../openai-caller.ts";
import { type Cell, cellName, modelOf } from "../scenarios.ts";
import type { Setting, System } from "./system.ts";

/** A configuration of Portkey, in its header `x-portkey-config`: https://portkey.ai/docs/product/ai-gateway/configs */
interface PortkeyConfig {
  readonly strategy?: { readonly mode: "single" | "fallback" | "loadbalance" };
  readonly targets?: readonly PortkeyConfig[];
  readonly [field: string]: unknown;
}

function targetConfig(cell: Cell, upstream: string, target: string, key: string): PortkeyConfig {
  const { maxPerTarget, timeoutMs } = cell.scenario.rules;
  const retries = maxPerTarget - 1;
  return {
    provider: "openai",
    custom_host: upstream,
    api_key: key,
    override_params: { model: modelOf(cell, target) },
    request_timeout: timeoutMs,
    ...(retries > 0 && { retry: { attempts: retries, on_status_codes: [408, 429, 500, 502, 503, 504] } }),
  };
}

function combine(mode: "fallback" | "loadbalance", targets: readonly PortkeyConfig[]): PortkeyConfig {
  const [only] = targets;
  if (targets.length === 1 && only !== undefined) return only;
  return { strategy: { mode }, targets };
}

/** Returns the nearest configuration. Portkey's balancing has fixed weights, and its open-source build no breaker. */
function configOf(cell: Cell, upstream: string): PortkeyConfig {
  const { tiers, keys } = cell.scenario.rules;
  // Each order of the keys gets its share, and each falls back to the other keys.
  const withKeys = (target: string): PortkeyConfig =>
    combine(
      "loadbalance",
      keys.map((_, first) => {
        const order = [...keys.slice(first), ...keys.slice(0, first)];
        return combine(
          "fallback",
          order.map((key) => targetConfig(cell, upstream, target, key)),
        );
      }),
    );
  const config = combine(
    "fallback",
    tiers.map((targets) => combine("loadbalance", targets.map(withKeys))),
  );
  return config.targets === undefined ? { strategy: { mode: "single" }, targets: [config] } : config;
}

export async function startPortkey({ processes, root, upstream }: Setting): Promise<System> {
  const { url, version } = await startPortkeyProcess(processes, `${root}/.bench/portkey`);
  return {
    name: "portkey",
    description: `Portkey ${version}`,
    runs: () => true,
    callerOf(cell) {
      const headers = { "x-portkey-config": JSON.stringify(configOf(cell, upstream)) };
      return { caller: new OpenAICaller(`${url}/v1`, headers), model: cellName(cell) };
    },
  };
}
