import type { Route } from "./route.ts";
import type { ToError } from "./surface.ts";

/** HTTP API of a vendor. */
export interface HttpApi {
  /** Name for people, such as `OpenAI`. */
  readonly name: string;
  /** Start of its paths, without a slash at the end. Of several that match a path, the longest decides. */
  readonly prefix: string;
  readonly routes: readonly Route[];
  /** Translates the error for a path or an HTTP method that no route has. */
  readonly toError: ToError;
  /** A request with a model that callers of the API often name. */
  readonly example: { readonly path: string; readonly body: object };
}
