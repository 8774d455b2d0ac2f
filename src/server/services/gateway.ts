import type { DescMethod } from "@bufbuild/protobuf";
import { type ConnectError, createContextKey, type HandlerContext } from "@connectrpc/connect";
import type { Authenticate, Caller } from "../../accounts/keys.ts";
import type { Calls } from "../../calls/active-calls.ts";
import type { GatewayError } from "../../errors.ts";
import { ChatService } from "../../gen/dragoman/v1/chat_service_pb.js";
import type { Catalog } from "../../models/catalog.ts";
import type { Adapter } from "../../providers/adapter.ts";
import { toConnectError, toGatewayError } from "./error-details.ts";

/** What the services of this program share. */
export interface Gateway {
  readonly authenticate: Authenticate;
  readonly catalog: Catalog;
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
      const error = toGatewayError(thrown);
      throw toConnectError(error, gateway.calls.refuse(context, context.method.name, error).requestId);
    }
  };
}

/** Methods whose every call has a record. The others only look something up. */
const recorded: ReadonlySet<DescMethod> = new Set([ChatService.method.completeChat, ChatService.method.streamChat]);

/** Ends a call that the gate let in and that failed before its method began: writes the record, makes the error. */
export type Refuse = (context: HandlerContext, error: GatewayError) => ConnectError;

export function createRefusal({ calls }: Gateway): Refuse {
  return (context, error) => {
    if (!recorded.has(context.method)) return toConnectError(error, "");
    const call = calls.refuse(context, context.method.name, error, callerOf(context).keyId);
    return toConnectError(error, call.requestId);
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
  handler: (request: Request, context: HandlerContext, caller: Caller) => Response | Promise<Response>,
): (request: Request, context: HandlerContext) => Promise<Response> {
  return async (request, context) => {
    try {
      return await handler(request, context, callerOf(context));
    } catch (error) {
      throw toConnectError(toGatewayError(error), "");
    }
  };
}
