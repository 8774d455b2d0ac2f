import { execFile } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { stringify } from "yaml";
import type { Server } from "../bench.ts";
import { freePort, type ProcessGroup, untilReady } from "../processes.ts";

/**
 * The proxy's packages are those of 1.108.7, with the newer `litellm` alone over them, and `semver`, which it also
 * imports: the proxy extra of 1.110.2 needs a version of a package that PyPI does not have.
 */
const packages = { proxy: ["litellm[proxy]==1.108.7", "semver==3.1.2"], newer: "litellm==1.110.2" } as const;
export const litellmVersion = "1.110.2";
/** It imports many packages before it listens. In ms. */
const startTimeoutMs = 300_000;

/** Installs LiteLLM into a virtual environment on first use. Returns its program. */
export async function installLitellm(root: string): Promise<string> {
  const directory = join(root, ".bench/litellm");
  const program = join(directory, "venv/bin/litellm");
  const done = join(directory, `installed-${litellmVersion}`);
  if (existsSync(done)) return program;
  mkdirSync(directory, { recursive: true });
  const run = promisify(execFile);
  await run("python3", ["-m", "venv", "venv"], { cwd: directory });
  const pip = (...args: string[]) =>
    run(join(directory, "venv/bin/pip"), ["install", "--quiet", "--no-input", "--disable-pip-version-check", ...args]);
  await pip(...packages.proxy);
  await pip("--no-deps", packages.newer);
  writeFileSync(done, "");
  return program;
}

interface LitellmProcess {
  readonly program: string;
  readonly name: string;
  /** Path of the configuration. */
  readonly file: string;
  /** Working directory. */
  readonly output: string;
}

/** Starts LiteLLM's proxy with one worker. */
export async function startLitellmProcess(processes: ProcessGroup, { program, name, file, output }: LitellmProcess) {
  const port = await freePort();
  const child = processes.start(name, ["--config", file, "--host", "127.0.0.1", "--port", String(port)], {
    program,
    env: { LITELLM_LOCAL_MODEL_COST_MAP: "True", LITELLM_TELEMETRY: "False", LITELLM_LOG: "ERROR" },
    cwd: output,
  });
  const url = `http://127.0.0.1:${port}`;
  await processes.whileAlive(untilReady(`${url}/health/liveliness`, startTimeoutMs));
  return { pid: child.pid, url };
}

/** Starts LiteLLM's proxy in front of the upstream. Undefined: Python is not installed. */
export async function startLitellm(
  processes: ProcessGroup,
  root: string,
  upstream: string,
  output: string,
): Promise<Server | undefined> {
  try {
    await promisify(execFile)("python3", ["-c", "import ensurepip, venv"]);
  } catch {
    return undefined;
  }
  const program = await installLitellm(root);
  const file = join(output, "litellm.yaml");
  const models = ["bench-16", "bench-64"].map((model) => ({
    model_name: model,
    litellm_params: { model: `openai/${model}`, api_base: upstream, api_key: "bench" },
  }));
  writeFileSync(file, stringify({ model_list: models, general_settings: { master_key: "sk-bench" } }));
  const { pid, url } = await startLitellmProcess(processes, { program, name: "litellm", file, output });
  const headers = { authorization: "Bearer sk-bench" };
  return {
    name: `LiteLLM ${litellmVersion}`,
    pid,
    target: { protocol: "http", url: `${url}/v1/chat/completions`, headers },
  };
}
