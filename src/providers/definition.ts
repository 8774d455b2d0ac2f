import type { Environment } from "../config/environment.ts";
import type { ConfigurableProvider, ProviderSettings } from "../config/provider.ts";
import type { Model } from "../gen/dragoman/v1/model_pb.js";
import type { TemplateSandbox } from "../templates/sandbox.ts";
import type { Adapter } from "./adapter.ts";
import type { Prepare } from "./preparation.ts";

/** Definition of a provider. Each provider's folder exports one as `provider`. */
export interface ProviderDefinition<Options = unknown> extends ConfigurableProvider<Options> {
  /** Name of the provider at models.dev, for `npm run models`. Undefined: models.dev does not list it. */
  readonly modelsDevName?: string;
  /** Returns the provider's catalog entries. Callers can also name any other model, as `provider/model`. */
  models(environment: Environment): readonly Model[];
  /** Downloads what the provider needs on this machine. Undefined: it needs nothing. */
  readonly prepare?: Prepare;
  /**
   * Loads the adapter. Default: it is loaded with the definition. A service loads the adapters of the providers that are
   * on, and only facts of the others.
   */
  load?(): Promise<void>;
  /**
   * Creates the adapter, which `load` has loaded. Opens no connection and does not throw: `optionsSchema` and `check`
   * have validated the settings. Adapters that render callers' templates share `sandbox`. `create` is a method and not a
   * property: only then does TypeScript allow definitions with different `Options` in one list.
   */
  create(settings: ProviderSettings<Options>, sandbox: TemplateSandbox): Adapter;
}
