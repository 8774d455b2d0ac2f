import type { Environment } from "../../config/environment.ts";
import { GatewayError } from "../../errors.ts";
import type { Model } from "../../gen/dragoman/v1/model_pb.js";
import { type Engine, type LlamaModel, loadEngine } from "./engine.ts";
import {
  embeddingModels,
  engineFolder,
  type LocalModelFile,
  localHome,
  prepareCommand,
  preparedModels,
} from "./home.ts";
import { type LoadedEmbedder, loadEmbedder } from "./loaded-embedder.ts";
import { type LoadedModel, loadModel } from "./loaded-model.ts";
import { embeddingFile } from "./models.ts";
import type { LocalOptions } from "./options.ts";

/** Models in memory, and the engine that runs them. The first request of each loads it. */
export class LocalModels {
  readonly #options: LocalOptions;
  readonly #environment: Environment;
  readonly #chats = new Map<string, Promise<LoadedModel>>();
  readonly #embedders = new Map<string, Promise<LoadedEmbedder>>();
  /** By path: chat and embeddings of a file share its weights. */
  readonly #weights = new Map<string, Promise<LlamaModel>>();
  /** By folder: at most one. */
  readonly #engines = new Map<string, Promise<Engine>>();

  constructor(options: LocalOptions, environment: Environment) {
    this.#options = options;
    this.#environment = environment;
  }

  chat({ id, providerModel }: Model): Promise<LoadedModel> {
    return once(this.#chats, providerModel, () =>
      this.#load(id, providerModel, preparedModels(this.#environment), loadModel),
    );
  }

  embedder(model: Model): Promise<LoadedEmbedder> {
    return once(this.#embedders, model.providerModel, () =>
      this.#load(model.id, embeddingFile(model), embeddingModels(this.#environment), loadEmbedder),
    );
  }

  async #load<Loaded>(
    id: string,
    name: string | undefined,
    files: readonly LocalModelFile[],
    load: (engine: Engine, weights: LlamaModel, options: LocalOptions) => Promise<Loaded>,
  ): Promise<Loaded> {
    const file = files.find((prepared) => prepared.name === name);
    if (file === undefined) {
      throw new GatewayError("MODEL_NOT_FOUND", `the model ${id} is not installed; run ${prepareCommand}`, {
        metadata: { model: id },
      });
    }
    try {
      const engine = await this.#loadEngine();
      const { path: modelPath } = file;
      return await load(
        engine,
        await once(this.#weights, modelPath, () => engine.llama.loadModel({ modelPath })),
        this.#options,
      );
    } catch (cause) {
      throw new GatewayError("PROVIDER_FAULT", `the model ${id} cannot be loaded; run ${prepareCommand} again`, {
        cause,
      });
    }
  }

  #loadEngine(): Promise<Engine> {
    const folder = engineFolder(localHome(this.#environment));
    return once(this.#engines, folder, () => loadEngine(folder, this.#options.threads));
  }

  async close(): Promise<void> {
    const engines = [...this.#engines.values()];
    for (const loaded of [this.#engines, this.#chats, this.#embedders, this.#weights]) loaded.clear();
    for (const loading of engines) {
      const engine = await loading.catch(() => undefined);
      await engine?.llama.dispose();
    }
  }
}

/** Returns what a map has, else begins it. The map loses what fails, so that the next request tries again. */
function once<T>(map: Map<string, Promise<T>>, key: string, begin: () => Promise<T>): Promise<T> {
  const known = map.get(key);
  if (known !== undefined) return known;
  const begun = begin();
  map.set(key, begun);
  begun.catch(() => map.delete(key));
  return begun;
}
