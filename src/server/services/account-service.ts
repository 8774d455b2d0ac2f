import { create } from "@bufbuild/protobuf";
import type { ServiceImpl } from "@connectrpc/connect";
import type { CallLimits } from "../../accounts/limits/call-limits.ts";
import { limitedAccount } from "../../accounts/limits/claims.ts";
import type { StoreMirror } from "../../accounts/store-mirror.ts";
import type { Call } from "../../calls/call.ts";
import { requireValid } from "../../chat/validation/annotations.ts";
import { GatewayError } from "../../errors.ts";
import type { Account } from "../../gen/dragoman/admin/v1/account_pb.js";
import {
  type AccountService,
  CreateAccountRequestSchema,
  CreateAccountResponseSchema,
  GetAccountRequestSchema,
  GetAccountResponseSchema,
  ListAccountsRequestSchema,
  ListAccountsResponseSchema,
  UpdateAccountRequestSchema,
  UpdateAccountResponseSchema,
} from "../../gen/dragoman/admin/v1/account_service_pb.js";
import { paginateBy } from "../../models/paginate.ts";
import { leftMessages } from "./account-left.ts";
import { accountMessage, accountSettings } from "./account-messages.ts";
import { requireValidAccount } from "./account-violations.ts";
import { answerCall } from "./admitted-call.ts";
import { requireMirror } from "./key-service.ts";

/** Creates AccountService for both listeners. `mirror`: accounts of the database. Undefined: there is no database. */
export function createAccountService(
  mirror: StoreMirror | undefined,
  limits: CallLimits,
): ServiceImpl<typeof AccountService> {
  return {
    createAccount: (request, context) =>
      answerCall(context, async (call) => {
        await requireValid(CreateAccountRequestSchema, request);
        const settings = validSettings(request.account);
        const { id } = settings;
        if (isConfigured(call, id)) throw exists(id, "the configuration has it; change it there");
        const account = { ...settings, createdMs: Date.now() };
        const isNew = await requireMirror(mirror).change((store) => store.createAccount(account));
        if (!isNew) throw exists(id, "the database has it already; use UpdateAccount");
        return create(CreateAccountResponseSchema, { account: accountMessage(account) });
      }),

    updateAccount: (request, context) =>
      answerCall(context, async (call) => {
        await requireValid(UpdateAccountRequestSchema, request);
        const settings = validSettings(request.account);
        const { id } = settings;
        if (isConfigured(call, id)) throw noAccount(id, "the configuration has it; change it there");
        const account = await requireMirror(mirror).change((store) => store.updateAccount(settings));
        if (account === undefined) throw noAccount(id, "the database has no such account; use CreateAccount");
        return create(UpdateAccountResponseSchema, { account: accountMessage(account) });
      }),

    getAccount: (request, context) =>
      answerCall(context, async (call) => {
        await requireValid(GetAccountRequestSchema, request);
        const { id } = request;
        await mirror?.refresh();
        const account = call.snapshot.directory?.account(id);
        if (account === undefined) throw noAccount(id, "neither the configuration nor the database has it");
        const left = leftMessages(await limits.leftOf(limitedAccount(account)));
        return create(GetAccountResponseSchema, { account: accountMessage(account), ...left });
      }),

    listAccounts: (request, context) =>
      answerCall(context, async (call) => {
        await requireValid(ListAccountsRequestSchema, request);
        await mirror?.refresh();
        const accounts = call.snapshot.directory?.accounts() ?? [];
        const { items, nextPageToken } = paginateBy(accounts, ({ id }) => id, request, "ListAccounts");
        return create(ListAccountsResponseSchema, { accounts: items.map(accountMessage), nextPageToken });
      }),
  };
}

function validSettings(account: Account | undefined) {
  if (account === undefined) throw new Error("the annotations require an account");
  requireValidAccount(account);
  return accountSettings(account);
}

function isConfigured({ snapshot }: Call, id: string): boolean {
  return snapshot.directory?.isConfiguredAccount(id) ?? false;
}

function exists(id: string, why: string): GatewayError {
  return new GatewayError("RESOURCE_ALREADY_EXISTS", `account ${id}: ${why}`, { metadata: { account: id } });
}

function noAccount(id: string, why: string): GatewayError {
  return new GatewayError("RESOURCE_NOT_FOUND", `account ${id}: ${why}`, { metadata: { account: id } });
}
