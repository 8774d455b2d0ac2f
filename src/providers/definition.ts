import type { Environment } from "../config/environment.ts";
import type { ConfigurableProvider, ProviderSettings } from "../config/provider.ts";
import type { Model } from "../gen/dragoman/v1/model_pb.js";
import type { Adapter } from "./adapter.ts";

/** All that the service knows of a provider: what each folder of a provider exports as `provider`. */
export interface ProviderDefinition<Options = unknown> extends ConfigurableProvider<Options> {
  /** Name of the provider at models.dev, for `npm run models`. Undefined: the database does not list it. */
  readonly modelsDevName?: string;
  /** Catalog entries of the models that Dragoman knows by name. Others are reached as `provider/model`. */
  models(environment: Environment): readonly Model[];
  /**
   * Makes the adapter. Opens nothing yet, and throws nothing: `optionsSchema` and `check` have found every mistake.
   * A method, so that definitions with different options fit into one list.
   */
  create(settings: ProviderSettings<Options>): Adapter;
}
