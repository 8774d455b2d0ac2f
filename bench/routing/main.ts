/**
 * `npm run bench -- --routing`: how Dragoman, Portkey and LiteLLM bring calls through failing, slow, limiting and
 * stalling providers. Each has its nearest documented configuration, and meets the same faults in the same order.
 *
 *   --only s6,s8     runs only these scenarios (bench/routing/scenarios.ts)
 *   --peers none     only Dragoman; or `portkey`, `litellm`; default: both (installed into .bench/ on first use)
 *   --quick          a tenth of the calls
 *   --json           prints the rows as JSON instead of tables (`npm run -s` prints nothing else)
 *   --hot            only the CPU time that routing adds to a call with one healthy target
 *
 * The rows are saved in bench/results/. The exit code is 0 also if Dragoman does worse than another system.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { announcedPort, ProcessGroup } from "../processes.ts";
import { describeMachine, formatSection } from "../report.ts";
import { measureHotPath } from "./hot.ts";
import { runCell } from "./run-cell.ts";
import { type Scenario, scenarios, warmUpsOf } from "./scenarios.ts";
import { startDragoman } from "./systems/dragoman.ts";
import { startLitellm } from "./systems/litellm.ts";
import { startPortkey } from "./systems/portkey.ts";
import type { Setting, System } from "./systems/system.ts";
import { formatScenario, legend } from "./table.ts";
import type { Row } from "./tally.ts";
import { type Mode, modes } from "./texts.ts";

const root = fileURLToPath(new URL("../..", import.meta.url)).replace(/\/$/, "");
const peers = { portkey: startPortkey, litellm: startLitellm } as const;

const { values: options } = parseArgs({
  options: {
    routing: { type: "boolean" },
    only: { type: "string" },
    peers: { type: "string", default: Object.keys(peers).join(",") },
    quick: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
    hot: { type: "boolean", default: false },
  },
});

/** After this time, no further scenario starts. In ms. */
const longestRunMs = { alone: 5 * 60_000, withPeers: 15 * 60_000 } as const;

/** Lines for people. With `--json`, standard output has only the JSON. */
function say(text: string): void {
  if (options.json) console.error(text);
  else console.log(text);
}

function selectScenarios(): readonly Scenario[] {
  const names = options.only?.split(",") ?? scenarios.map(({ name }) => name);
  return names.map((name) => {
    const found = scenarios.find((scenario) => scenario.name === name);
    const known = scenarios.map((scenario) => scenario.name).join(", ");
    if (found === undefined) throw new Error(`--only: unknown scenario "${name}"; use ${known}`);
    return found;
  });
}

/** Starts the selected peers, each in a group of its own, so that one that fails ends no other. */
async function startPeers(setting: Omit<Setting, "processes">, groups: ProcessGroup[]): Promise<System[]> {
  const systems: System[] = [];
  for (const name of options.peers === "none" ? [] : options.peers.split(",")) {
    const start = Object.entries(peers).find(([peer]) => peer === name)?.[1];
    if (start === undefined)
      throw new Error(`--peers: unknown peer "${name}"; use none, ${Object.keys(peers).join(", ")}`);
    const processes = new ProcessGroup(setting.output);
    groups.push(processes);
    try {
      systems.push(await start({ ...setting, processes }));
    } catch (error) {
      say(`${name} is left out, because it could not be installed or started: ${String(error).split("\n", 1)[0]}`);
    }
  }
  return systems;
}

/** Runs a scenario in one mode at each system: in turn, or at the same time where the scenario says so. */
async function runMode(scenario: Scenario, mode: Mode, systems: readonly System[], upstream: string): Promise<Row[]> {
  const calls = Math.ceil(scenario.calls[mode] / (options.quick ? 10 : 1));
  const run = async (system: System): Promise<Row> => {
    const cell = { system: system.name, scenario, mode };
    const { caller, model } = system.callerOf(cell);
    try {
      return await runCell(cell, { caller, model }, calls, upstream);
    } finally {
      caller.close();
    }
  };
  if (scenario.together) return Promise.all(systems.map(run));
  const rows: Row[] = [];
  for (const system of systems) rows.push(await run(system));
  return rows;
}

async function runRouting(): Promise<void> {
  const date = new Date().toISOString();
  const output = join(root, "bench/results", `routing-${date.replaceAll(":", "-").replace(/\..*/, "")}`);
  mkdirSync(output, { recursive: true });
  const processes = new ProcessGroup(output);
  const groups = [processes];
  try {
    const selected = selectScenarios();
    const child = processes.start("upstream", [join(root, "bench/routing/upstream.ts")], { channel: true });
    const upstream = `http://127.0.0.1:${await processes.whileAlive(announcedPort(child))}/v1`;
    const warmUps = warmUpsOf(selected);
    const setting = { root, output, upstream, scenarios: [...warmUps, ...selected] };
    const systems = [...(await startDragoman({ ...setting, processes })), ...(await startPeers(setting, groups))];
    for (const { name, description } of systems) say(`${name}: ${description}`);
    say(`\n${legend}\n`);
    for (const scenario of warmUps) for (const mode of modes) await runMode(scenario, mode, systems, upstream);
    const rows: Row[] = [];
    const end = performance.now() + (options.peers === "none" ? longestRunMs.alone : longestRunMs.withPeers);
    for (const scenario of selected) {
      if (performance.now() > end) {
        say(`${scenario.name} is left out, because the run takes too long on this machine; select it with --only`);
        continue;
      }
      const taking = systems.filter((system) => system.runs(scenario));
      const ofScenario: Row[] = [];
      for (const mode of modes) {
        ofScenario.push(...(await processes.whileAlive(runMode(scenario, mode, taking, upstream))));
      }
      rows.push(...ofScenario);
      say(formatScenario(scenario, ofScenario));
    }
    const described = systems.map(({ name, description }) => ({ name, description }));
    const report = JSON.stringify({ date, machine: describeMachine(), options, systems: described, rows }, null, 2);
    writeFileSync(`${output}.json`, `${report}\n`);
    if (options.json) console.log(report);
    say(`Report: ${output}.json. Configurations and logs: ${output}/.`);
  } finally {
    await Promise.all(groups.map((group) => group.stop()));
  }
}

if (options.hot) {
  const section = await measureHotPath(options.quick);
  console.log(options.json ? JSON.stringify(section, null, 2) : formatSection(section));
} else await runRouting();
