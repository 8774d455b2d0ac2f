import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import type { Config } from "../../src/config/config.ts";
import { ConfigError, type ConfigProblem } from "../../src/config/config-error.ts";
import type { Environment } from "../../src/config/interpolate.ts";
import { loadConfig } from "../../src/config/load.ts";
import type { KnownProvider } from "../../src/config/provider-settings.ts";

/** A `$`, so that a reference such as `${dollar}{NAME}` reaches the file as it is. */
export const dollar = "$";

const openai: KnownProvider = {
  name: "openai",
  keyVariable: "OPENAI_API_KEY",
  baseUrlVariable: "OPENAI_BASE_URL",
  defaultBaseUrl: "https://api.openai.com/v1",
  onBy: "key",
};

export const declarations: readonly KnownProvider[] = [
  openai,
  {
    ...openai,
    name: "vllm",
    keyVariable: "VLLM_API_KEY",
    baseUrlVariable: "VLLM_BASE_URL",
    defaultBaseUrl: "",
    onBy: "url",
  },
  { ...openai, name: "echo", keyVariable: undefined, baseUrlVariable: undefined, defaultBaseUrl: "", onBy: "always" },
  {
    ...openai,
    name: "local",
    keyVariable: undefined,
    baseUrlVariable: undefined,
    defaultBaseUrl: "",
    onBy: "detect",
    detect: () => "run `npm run demo` to fetch a model",
  },
];

export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "dragoman-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

export function writeConfig(yaml: string, folder = temporaryFolder()): string {
  const file = join(folder, "dragoman.yaml");
  writeFileSync(file, yaml);
  return file;
}

export function load(yaml: string, environment: Environment = {}): Config {
  return loadConfig({ environment, file: writeConfig(yaml), declarations });
}

/** The mistakes that loading finds; empty when there are none. */
export function problemsOf(attempt: () => unknown): readonly ConfigProblem[] {
  try {
    attempt();
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
}

export function pathsOf(yaml: string, environment: Environment = {}): readonly string[] {
  return problemsOf(() => load(yaml, environment)).map(({ path }) => path);
}
