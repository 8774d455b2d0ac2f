import type { ProviderSettings } from "../config/provider.ts";
import type { Adapter } from "./adapter.ts";

/** How a provider is found, turned on and made. */
export interface ProviderDefinition {
  /** The `provider` of `provider/model`. Lower case. */
  readonly name: string;
  /** The variable that holds the key, such as `OPENAI_API_KEY`. Undefined: the provider takes no key. */
  readonly keyVariable: string | undefined;
  /** The variable that overrides the address, such as `OPENAI_BASE_URL`. Undefined: the provider has no address. */
  readonly baseUrlVariable: string | undefined;
  /** Where the provider usually is. Empty when it has no address. */
  readonly defaultBaseUrl: string;
  /**
   * What turns the provider on when the configuration does not mention it. `key`: its key variable is set. `url`: its
   * address variable is set (servers of one's own). `always`. `detect`: `detect` says so.
   */
  readonly onBy: "key" | "url" | "always" | "detect";
  /** For `detect`: undefined when it is ready, else what to do. */
  readonly detect?: () => string | undefined;
  readonly create: (settings: ProviderSettings) => Adapter;
}
