import { lookupAccount } from "../../accounts/keys.ts";
import type { Catalog } from "../../models/catalog.ts";
import { toGatewayError } from "../../server/services/error-details.ts";
import { httpHeadersOf } from "./http-status.ts";
import type { Route, RouteContext } from "./route.ts";
import { sendJson } from "./send.ts";
import { sourceOf } from "./serve-surface.ts";
import type { ToError } from "./surface.ts";

/** What a lookup may use. */
export interface LookupRequest extends Pick<RouteContext, "parameters"> {
  readonly catalog: Catalog;
  /** The caller's account. Empty if it selects none. */
  readonly account: string;
}

/** Returns the JSON value of a response. Throws a GatewayError if it fails. */
type LookUp = (request: LookupRequest) => unknown;

/** Makes a GET route that authenticates the caller and responds with a JSON value. Lookups have no call record. */
export function lookupRoute(path: string, toError: ToError, lookUp: LookUp): Route {
  return { method: "GET", path, handle: (context) => serveLookup(context, toError, lookUp) };
}

function serveLookup({ gateway, parameters, request, response }: RouteContext, toError: ToError, lookUp: LookUp): void {
  const { requestHeader } = sourceOf(request, response);
  const { authenticate, catalog } = gateway;
  try {
    const account = lookupAccount(authenticate(requestHeader), requestHeader.get("x-selected-account-id"));
    sendJson(response, 200, lookUp({ catalog, account, parameters }));
  } catch (thrown) {
    const error = toGatewayError(thrown);
    const { status, headers, body } = toError(error, "");
    for (const [name, value] of Object.entries({ ...httpHeadersOf(error), ...headers })) {
      response.setHeader(name, value);
    }
    sendJson(response, status, body);
  }
}
