import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { create } from "@bufbuild/protobuf";
import { onTestFinished } from "vitest";
import type { Config } from "../../src/config/config.ts";
import { ConfigError, type ConfigProblem } from "../../src/config/config-error.ts";
import type { Environment } from "../../src/config/interpolate.ts";
import { loadConfig } from "../../src/config/load.ts";
import type { KnownProvider } from "../../src/config/provider-settings.ts";
import { type Model, ModelSchema } from "../../src/gen/dragoman/v1/model_pb.js";

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

/** Two ids of one model, as EGP and OpenAI have them, and one of another provider. */
export const models: readonly Model[] = [
  create(ModelSchema, {
    id: "openai/gpt-4o",
    provider: "openai",
    providerModel: "gpt-4o",
    displayName: "GPT-4o",
    profile: "plain",
    family: "openai-chat",
    contextWindowTokens: 128_000,
    maxOutputTokens: 16_384,
    capabilities: { systemMessages: true, tools: true },
  }),
  create(ModelSchema, {
    id: "gpt-4o",
    provider: "openai",
    providerModel: "gpt-4o",
    displayName: "GPT-4o",
    aliases: ["omni"],
    profile: "egp-chat",
    family: "openai-chat",
    contextWindowTokens: 128_000,
    maxOutputTokens: 4096,
    maxTemperature: 2,
    capabilities: { systemMessages: true },
  }),
  create(ModelSchema, { id: "echo/echo", provider: "echo", providerModel: "echo", profile: "plain", family: "echo" }),
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
  return loadConfig({ environment, file: writeConfig(yaml), declarations, models });
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
