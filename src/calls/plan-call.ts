import type { DescMessage } from "@bufbuild/protobuf";
import { selectAccount } from "../accounts/keys.ts";
import type { FieldPath } from "../field-path.ts";
import type { ProfileName } from "../profiles/profiles.ts";
import { targetOf } from "../routing/target.ts";
import type { Call } from "./call.ts";
import { type ChatWrapper, checkChat, type Plan, type PlanContext, planChat } from "./plan.ts";

/** The request of a call, whichever contract it came by. */
export interface CallRequest<Desc extends DescMessage> {
  readonly schema: Desc;
  /** The request; made within the call, so that one that cannot be made is recorded like any other. */
  readonly message: () => ChatWrapper<Desc>;
  /** Whether the answer goes out as a stream; else the caller takes it only as a whole. */
  readonly streamed: boolean;
  /** The profile of the HTTP API, in place of the model's own. */
  readonly profile?: ProfileName;
  /** The name of a field in the API that the call came by. Default: the contract's. */
  readonly nameField?: (path: FieldPath) => string;
}

/** UTF-16 units of 256 characters, which is the length limit of the contract for the names in a record. */
const maxNameLength = 512;

/** Checks the request of a call and plans it for its target. Adds to the call's record what becomes known. */
export async function planCall<Desc extends DescMessage>(
  call: Call,
  { schema, message, streamed, profile, nameField }: CallRequest<Desc>,
): Promise<Plan> {
  const request = message();
  const { catalog, adapters } = call.snapshot;
  const { user = "", model = "", accountId = "" } = request.chat ?? {};
  // Nothing is checked yet, and a record is a line of the log.
  call.note({ user: user.slice(0, maxNameLength), model: model.slice(0, maxNameLength) });
  const account = selectAccount(call.caller, call.source.requestHeader.get("x-selected-account-id"), accountId);
  call.note({ accountId: account.slice(0, maxNameLength) });
  const context: PlanContext = {
    account,
    streamed,
    signal: call.signal,
    ...(profile && { profile }),
    ...(nameField && { nameField }),
  };
  const checked = checkChat(schema, request, catalog, context);
  call.note({ model: checked.model.id, provider: checked.model.provider });
  call.acquireSlot(checked.profile.maxConcurrentCalls);
  return planChat(checked, targetOf(checked.model, adapters), context);
}
