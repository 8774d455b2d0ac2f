import type { DescMethod, DescService } from "@bufbuild/protobuf";
import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import { type Access, accessOf } from "./access.ts";

/** Untyped implementation of a method. The method descriptor has its schemas. */
export type Implementation = (request: unknown, context: HandlerContext) => unknown;

export interface MountedMethod {
  readonly method: DescMethod;
  readonly implementation: Implementation;
  readonly access: Access;
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
 * @param access who may call the methods. Default: as `access.ts` lists them.
 */
export function mountService<Service extends DescService>(
  service: Service,
  implementation: Partial<ServiceImpl<Service>>,
  access?: Access,
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
      return [{ method, implementation: run.bind(implementation), access: access ?? accessOf(method) }];
    }),
  };
}
