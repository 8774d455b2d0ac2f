import type { DescMethod, DescService } from "@bufbuild/protobuf";
import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import type { Role } from "../../accounts/role.ts";

/**
 * Who may call a service. `authenticated`: callers that the configured authentication accepts. `viewer`: those with the
 * role viewer or admin. `admin`: those with the role admin. `open`: everybody; its calls have no `Call.caller`.
 */
export type Access = "authenticated" | "viewer" | "admin" | "open";

/** Returns the role that callers of a service need. */
export function roleFor(access: Exclude<Access, "open">): Role {
  return access === "authenticated" ? "caller" : access;
}

/** Untyped implementation of a method. The method descriptor has its schemas. */
export type Implementation = (request: unknown, context: HandlerContext) => unknown;

export interface MountedMethod {
  readonly method: DescMethod;
  readonly implementation: Implementation;
  readonly access: Access;
  /** Whether its calls may ask a provider, so that the ledger has a record of each. */
  readonly mayCost: boolean;
}

/** Service that both listeners serve, with its unary and server-streaming methods. */
export interface MountedService {
  readonly service: DescService;
  readonly methods: readonly MountedMethod[];
}

/**
 * Mounts a service written for Connect. Each method must run inside `answerCall` or `streamCall`. Callers of methods
 * without an implementation get METHOD_NOT_FOUND.
 *
 * @param costing methods that may ask a provider, so that the ledger has a record of each of their calls
 */
export function mountService<Service extends DescService>(
  service: Service,
  implementation: Partial<ServiceImpl<Service>>,
  access: Access = "authenticated",
  costing: readonly (keyof ServiceImpl<Service>)[] = [],
): MountedService {
  // TypeScript cannot index the mapped type ServiceImpl with a name that is known only at run time.
  const byName = implementation as Readonly<Record<string, Implementation | undefined>>;
  return {
    service,
    methods: service.methods.flatMap((method) => {
      const run = byName[method.localName];
      if (run === undefined) return [];
      if (method.methodKind !== "unary" && method.methodKind !== "server_streaming") {
        throw new Error(
          `${service.typeName}.${method.name} streams its requests, which the gRPC listener cannot serve`,
        );
      }
      const mayCost = costing.some((name) => name === method.localName);
      return [{ method, implementation: run.bind(implementation), access, mayCost }];
    }),
  };
}
