import { lookupAccount } from "../../accounts/keys.ts";
import { admitCall } from "../../calls/admit-call.ts";
import { getModel, listModels } from "../../calls/list-models.ts";
import { toGatewayError } from "../../errors.ts";
import type { Model } from "../../gen/dragoman/v1/model_pb.js";
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
  /** Returns the models that the caller may request, ordered by id. */
  list(): Promise<readonly Model[]>;
  /** Returns the model that a name means. Throws the errors of a call of this model. */
  get(name: string): Promise<Model>;
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
  /** Returns the JSON value of the response, or a promise of it. Throws a GatewayError if the lookup fails. */
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
    const found = await lookUp({
      parameters,
      catalog: snapshot.catalog,
      query: new URLSearchParams(request.url?.split("?", 2)[1]),
      list: () => listModels(call, account),
      get: (name) => getModel(call, account, name),
    });
    sendJson(response, 200, found);
    call.settle();
  } catch (thrown) {
    const error = toGatewayError(call.signal.aborted ? call.signal.reason : thrown);
    call.settle(error);
    sendError(response, error, toError(error, call.requestId));
  }
}
