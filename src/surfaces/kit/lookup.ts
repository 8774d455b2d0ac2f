import type { AllowedModels } from "../../accounts/allowed-models.ts";
import { lookupAccount } from "../../accounts/keys.ts";
import { admitCall } from "../../calls/admit-call.ts";
import { allowedModels } from "../../calls/allowed-models.ts";
import { toGatewayError } from "../../errors.ts";
import type { Catalog } from "../../models/catalog.ts";
import { beginCall } from "./begin-call.ts";
import { discardRest } from "./body.ts";
import type { Route, RouteContext } from "./route.ts";
import { sendError, sendJson } from "./send.ts";
import type { ToError } from "./surface.ts";

/** Input of a lookup. */
export interface LookupRequest extends Pick<RouteContext, "parameters"> {
  readonly catalog: Catalog;
  readonly query: URLSearchParams;
  /** The caller's account. Empty if the caller selects none. */
  readonly account: string;
  /** Models that the caller may request. */
  readonly allowed: AllowedModels;
}

/** Endpoint of an API that returns a JSON value, and reads no body. */
interface Lookup {
  /** Method name in call records, such as `openai-models`. */
  readonly name: string;
  /** Default: GET. */
  readonly method?: Route["method"];
  readonly path: string;
  /** Header that a request has. Default: any request. */
  readonly requires?: string;
  /** The API's own name of the header `x-request-id`. Default none. */
  readonly requestIdHeader?: string;
  readonly toError: ToError;
  /** Returns the JSON value of the response. Throws a GatewayError if the lookup fails. */
  lookUp(request: LookupRequest): unknown;
}

/** Makes a route that authenticates the caller and responds with a JSON value. */
export function lookupRoute(lookup: Lookup): Route {
  const { name, method = "GET", path, requires } = lookup;
  return {
    name,
    method,
    path,
    ...(requires !== undefined && { requires }),
    async handle(context) {
      const { request, maxRequestBytes } = context;
      await serveLookup(lookup, context);
      if (!request.complete) discardRest(request, maxRequestBytes);
    },
  };
}

async function serveLookup({ name, requestIdHeader, toError, lookUp }: Lookup, context: RouteContext): Promise<void> {
  const { parameters, request, response } = context;
  const call = beginCall(context, { name, mayCost: false, stream: false }, toError, requestIdHeader);
  if (call === undefined) return;
  try {
    await admitCall(call);
    const { caller, source, snapshot } = call;
    const account = lookupAccount(caller, source.requestHeader.get("x-selected-account-id"));
    const allowed = allowedModels(call, account);
    const query = new URLSearchParams(request.url?.split("?", 2)[1]);
    sendJson(response, 200, lookUp({ catalog: snapshot.catalog, query, account, allowed, parameters }));
    call.settle();
  } catch (thrown) {
    const error = toGatewayError(call.signal.aborted ? call.signal.reason : thrown);
    call.settle(error);
    sendError(response, error, toError(error, call.requestId));
  }
}
