import type { DescMethod } from "@bufbuild/protobuf";
import type { Role } from "../../accounts/role.ts";
import type { CallMethod } from "../../calls/call-method.ts";

/**
 * Who may call a method. `authenticated`: callers that the configured authentication accepts. `viewer`: those with the
 * role viewer or admin. `admin`: those with the role admin. `open`: everybody; its calls have no `Call.caller`.
 */
export type Access = "authenticated" | "viewer" | "admin" | "open";

/** Returns the role that callers of a method need. */
export function roleFor(access: Exclude<Access, "open">): Role {
  return access === "authenticated" ? "caller" : access;
}

export interface MethodRules extends Pick<CallMethod, "operation"> {
  readonly access: Access;
  /** Whether its calls may ask a provider, so that the ledger has a record of each. */
  readonly mayCost: boolean;
}

const forCallers: MethodRules = { access: "authenticated", mayCost: false };
const forViewers: MethodRules = { access: "viewer", mayCost: false };
const forAdmins: MethodRules = { access: "admin", mayCost: false };
const costing: MethodRules = { access: "authenticated", mayCost: true };
const embedding: MethodRules = { ...costing, operation: "embeddings" };

/** Rules of each method of Dragoman's services. A service can be mounted only if all its methods are listed. */
const rulesOfMethods: Readonly<Record<string, Readonly<Record<string, MethodRules>>>> = {
  "dragoman.v1.ChatService": { CompleteChat: costing, StreamChat: costing, PlanChat: forCallers },
  "dragoman.v1.EmbeddingService": { Embed: embedding },
  "dragoman.v1.TokenService": { CountTokens: { ...forCallers, operation: "count_tokens" } },
  "dragoman.v1.ModelService": { ListModels: forCallers, GetModel: forCallers },
  "dragoman.admin.v1.RoutingService": { ListTargets: forViewers },
  // A caller sees the usage of its own accounts.
  "dragoman.admin.v1.UsageService": { QueryUsage: forCallers, ListCalls: forCallers, GetCall: forCallers },
  "dragoman.admin.v1.KeyService": {
    CreateKey: forAdmins,
    ListKeys: forAdmins,
    RotateKey: forAdmins,
    RevokeKey: forAdmins,
  },
  "dragoman.admin.v1.AccountService": {
    CreateAccount: forAdmins,
    UpdateAccount: forAdmins,
    GetAccount: forViewers,
    ListAccounts: forViewers,
  },
};

/** Returns the rules of a method. Throws for a method that is not listed, so that nobody forgets one. */
export function rulesOf({ parent, name }: DescMethod): MethodRules {
  const rules = rulesOfMethods[parent.typeName]?.[name];
  if (rules === undefined) throw new Error(`services/method-rules.ts does not list ${parent.typeName}/${name}`);
  return rules;
}
