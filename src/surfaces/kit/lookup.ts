import type { AllowedModels } from "../../accounts/allowed-models.ts";
import { lookupAccount } from "../../accounts/keys.ts";
import { admitCall } from "../../calls/admit-call.ts";
import { allowedModels } from "../../calls/allowed-models.ts";
import { toGatewayError } from "../../errors.ts";
import type { Catalog } from "../../models/catalog.ts";
import { beginCall } from "./begin-call.ts";
import type { Route, RouteContext } from "./route.ts";
import { sendError, sendJson } from "./send.ts";
import type { ToError } from "./surface.ts";

/** Input of a lookup. */
export interface LookupRequest extends Pick<RouteContext, "parameters"> {
  readonly catalog: Catalog;
  /** The caller's account. Empty if the caller selects none. */
  readonly account: string;
  /** Models that the caller may request. */
  readonly allowed: AllowedModels;
}

/** GET endpoint of an API that returns a JSON value. */
interface Lookup {
  /** Method name in call records, such as `openai-models`. */
  readonly name: string;
  readonly path: string;
  readonly toError: ToError;
  /** Returns the JSON value of the response. Throws a GatewayError if the lookup fails. */
  lookUp(request: LookupRequest): unknown;
}

/** Makes a GET route that authenticates the caller and responds with a JSON value. */
export function lookupRoute(lookup: Lookup): Route {
  const { name, path } = lookup;
  return { name, method: "GET", path, handle: (context) => serveLookup(lookup, context) };
}

async function serveLookup({ name, toError, lookUp }: Lookup, context: RouteContext): Promise<void> {
  const { parameters, response } = context;
  const call = beginCall(context, { name, mayCost: false, stream: false }, toError);
  if (call === undefined) return;
  try {
    await admitCall(call);
    const { caller, source, snapshot } = call;
    const account = lookupAccount(caller, source.requestHeader.get("x-selected-account-id"));
    const allowed = allowedModels(call, account);
    sendJson(response, 200, lookUp({ catalog: snapshot.catalog, account, allowed, parameters }));
    call.settle();
  } catch (thrown) {
    const error = toGatewayError(call.signal.aborted ? call.signal.reason : thrown);
    call.settle(error);
    sendError(response, error, toError(error, call.requestId));
  }
}
