import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { create } from "@bufbuild/protobuf";
import { onTestFinished } from "vitest";
import { z } from "zod";
import type { Config } from "../../src/config/config.ts";
import { ConfigError, type ConfigProblem } from "../../src/config/config-error.ts";
import type { Environment } from "../../src/config/environment.ts";
import { loadConfig } from "../../src/config/load.ts";
import type { ConfigurableProvider } from "../../src/config/provider.ts";
import { type Model, ModelSchema } from "../../src/gen/dragoman/v1/model_pb.js";

/** A dollar sign: `${dollar}{NAME}` in a template literal writes the reference `${NAME}` to the file. */
export const dollar = "$";

const openai: ConfigurableProvider = {
  name: "openai",
  family: "openai-chat",
  variables: { apiKey: "OPENAI_API_KEY", baseUrl: "OPENAI_BASE_URL", others: ["OPENAI_REGION"] },
  defaultBaseUrl: "https://api.openai.com/v1",
  onBy: "key",
  optionsSchema: z.record(z.string(), z.unknown()),
};

export const providers: readonly ConfigurableProvider[] = [
  openai,
  {
    name: "vllm",
    variables: { apiKey: "VLLM_API_KEY", baseUrl: "VLLM_BASE_URL" },
    defaultBaseUrl: "",
    onBy: "url",
  },
  { name: "echo", variables: {}, defaultBaseUrl: "", onBy: "always" },
  {
    name: "local",
    variables: {},
    defaultBaseUrl: "",
    onBy: "detect",
    detect: () => "run `npm run demo` to fetch a model",
  },
];

/** One model under the ids of EGP and of OpenAI, and a model of another provider. */
export const models: readonly Model[] = [
  create(ModelSchema, {
    id: "openai/gpt-4o",
    provider: "openai",
    providerModel: "gpt-4o",
    displayName: "GPT-4o",
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
    family: "openai-chat",
    contextWindowTokens: 128_000,
    maxOutputTokens: 4096,
    maxTemperature: 2,
    capabilities: { systemMessages: true },
  }),
  create(ModelSchema, { id: "echo/echo", provider: "echo", providerModel: "echo", family: "echo" }),
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

export function load(yaml: string, environment: Environment = {}, folder = temporaryFolder()): Config {
  return loadConfig({ environment, file: writeConfig(yaml, folder), providers, models });
}

/** Returns the mistakes in the ConfigError that `attempt` throws; empty if it does not throw. */
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
