import { createContextKey, type HandlerContext } from "@connectrpc/connect";
import type { Authenticate, Caller } from "../accounts/keys.ts";
import type { Catalogue } from "../models/catalogue.ts";
import type { Adapter } from "../providers/adapter.ts";
import type { Calls } from "./calls.ts";
import { toConnectError, toGatewayError } from "./error-details.ts";

/** What the services of this program share. */
export interface Gateway {
  readonly authenticate: Authenticate;
  readonly catalogue: Catalogue;
  readonly adapters: ReadonlyMap<string, Adapter>;
  readonly calls: Calls;
}

const callerKey = createContextKey<Caller | undefined>(undefined, { description: "the authenticated caller" });

/**
 * Authenticates a call before its body is read or decoded. A refused call is recorded like any other. Every listener
 * runs it first; the methods then ask `callerOf`.
 */
export function createGate(gateway: Gateway): (context: HandlerContext) => void {
  return (context) => {
    try {
      context.values.set(callerKey, gateway.authenticate(context.requestHeader));
    } catch (thrown) {
      const call = gateway.calls.begin(context, context.method.name);
      const error = toGatewayError(thrown);
      call.settle(error);
      throw toConnectError(error, call.requestId);
    }
  };
}

/** The caller that the gate let in. */
export function callerOf(context: HandlerContext): Caller {
  const caller = context.values.get(callerKey);
  if (caller === undefined) throw new Error("a listener serves calls without the gate");
  return caller;
}

/** A method that only looks something up: without a record, its errors translated. */
export function lookup<Request, Response>(
  handler: (request: Request) => Response,
): (request: Request, context: HandlerContext) => Response {
  return (request, context) => {
    try {
      callerOf(context);
      return handler(request);
    } catch (error) {
      throw toConnectError(toGatewayError(error), "");
    }
  };
}
