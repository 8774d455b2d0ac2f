import type { DescMethod } from "@bufbuild/protobuf";
import type { Role } from "../../accounts/role.ts";

/**
 * Who may call a method. `authenticated`: callers that the configured authentication accepts. `viewer`: those with the
 * role viewer or admin. `admin`: those with the role admin. `open`: everybody; its calls have no `Call.caller`.
 */
export type Access = "authenticated" | "viewer" | "admin" | "open";

/** Returns the role that callers of a method need. */
export function roleFor(access: Exclude<Access, "open">): Role {
  return access === "authenticated" ? "caller" : access;
}

/** Who may call each method of Dragoman's services. A service can be mounted only if all its methods are listed. */
const accessOfMethods: Readonly<Record<string, Readonly<Record<string, Access>>>> = {
  "dragoman.v1.ChatService": { CompleteChat: "authenticated", StreamChat: "authenticated", PlanChat: "authenticated" },
  "dragoman.v1.ModelService": { ListModels: "authenticated", GetModel: "authenticated" },
  "dragoman.admin.v1.RoutingService": { ListTargets: "viewer" },
  "dragoman.admin.v1.KeyService": { CreateKey: "admin", ListKeys: "admin", RotateKey: "admin", RevokeKey: "admin" },
  "dragoman.admin.v1.AccountService": {
    CreateAccount: "admin",
    UpdateAccount: "admin",
    GetAccount: "viewer",
    ListAccounts: "viewer",
  },
  // Callers see the usage of their own accounts.
  "dragoman.admin.v1.UsageService": {
    QueryUsage: "authenticated",
    ListCalls: "authenticated",
    GetCall: "authenticated",
  },
};

/** Returns who may call a method. Throws for a method that is not listed, so that nobody forgets one. */
export function accessOf({ parent, name }: DescMethod): Access {
  const access = accessOfMethods[parent.typeName]?.[name];
  if (access === undefined) throw new Error(`services/access.ts does not list ${parent.typeName}/${name}`);
  return access;
}
