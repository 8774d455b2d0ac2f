import type { DescMessage } from "@bufbuild/protobuf";
import { type Caller, selectAccount } from "../accounts/keys.ts";
import { coalesce } from "../chat/stream/coalesce.ts";
import type { GatewayError } from "../errors.ts";
import type { StreamChatResponse } from "../gen/dragoman/v1/chat_service_pb.js";
import type { ProfileName } from "../profiles/profiles.ts";
import { toGatewayError } from "../server/services/error-details.ts";
import type { Gateway } from "../server/services/gateway.ts";
import type { Call, CallSource } from "./call.ts";
import { type ChatWrapper, checkChat, type Plan, type PlanContext, planChat } from "./plan.ts";
import { converse } from "./run.ts";

/** One chat call, whichever contract it came by. */
export interface ChatCall<Desc extends DescMessage> {
  readonly source: CallSource;
  readonly caller: Caller;
  /** For the record: `CompleteChat`, `StreamChat`, or the name of a surface. */
  readonly method: string;
  readonly schema: Desc;
  /** The request; made within the call, so that one that cannot be made is recorded like any other. */
  readonly message: () => ChatWrapper<Desc>;
  /** Whether the answer goes out as a stream; else nobody waits for its parts. */
  readonly streamed: boolean;
  readonly keepProviderDeltas: boolean;
  /** The rules of the surface, instead of the model's own. */
  readonly profile?: ProfileName;
  /** Told as soon as the call has its ids. */
  readonly onBegin?: (call: Call) => void;
  /** Makes what is thrown of an error. */
  readonly toThrown: (error: GatewayError, requestId: string) => unknown;
}

/**
 * The whole path of a call, from the gate to its record. One generator and not several, one in another: each costs as
 * much for a delta as all the rest of this.
 */
export async function* serveChat<Desc extends DescMessage>(
  gateway: Gateway,
  chatCall: ChatCall<Desc>,
): AsyncGenerator<StreamChatResponse> {
  const call = gateway.calls.begin(chatCall.source, chatCall.method);
  chatCall.onBegin?.(call);
  try {
    const plan = await admit(gateway, chatCall, call);
    const conversation = converse(plan, call, !chatCall.streamed);
    for await (const arrived of conversation.events) {
      const batch = conversation.complete(arrived);
      for (const event of chatCall.keepProviderDeltas ? batch : coalesce(batch)) {
        yield { $typeName: "dragoman.v1.StreamChatResponse", event };
      }
    }
    call.settle();
  } catch (thrown) {
    const error = toGatewayError(call.signal.aborted ? call.signal.reason : thrown);
    call.settle(error);
    throw chatCall.toThrown(error, call.requestId);
  } finally {
    // Reached without an end when the listener stopped pulling: the caller is gone.
    call.abandon();
  }
}

/** UTF-16 units of 256 characters, which is as long as the contract lets the names in a record be. */
const longestName = 512;

/** Checks a call and plans it. Fills in the call's facts as they become known. */
async function admit<Desc extends DescMessage>(
  gateway: Gateway,
  { source, caller, schema, message, streamed, profile }: ChatCall<Desc>,
  call: Call,
): Promise<Plan> {
  call.facts.keyId = caller.keyId;
  const request = message();
  const { user = "", model = "", accountId = "" } = request.chat ?? {};
  // Nothing is checked yet, and a record is a line of the log.
  call.facts.user = user.slice(0, longestName);
  call.facts.model = model.slice(0, longestName);
  const selected = source.requestHeader.get("x-selected-account-id") ?? "";
  const account = selectAccount(caller, selected, accountId);
  call.facts.accountId = account.slice(0, longestName);
  const context: PlanContext = { account, streamed, signal: call.signal, ...(profile && { profile }) };
  const checked = checkChat(schema, request, gateway, context);
  call.facts.model = checked.model.id;
  call.facts.provider = checked.model.provider;
  gateway.calls.occupy(call, checked.profile.maxConcurrentCalls);
  return planChat(checked, gateway, context);
}
