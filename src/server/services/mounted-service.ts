import type { DescMethod, DescService } from "@bufbuild/protobuf";
import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import { type Access, type MethodRules, rulesOf } from "./method-rules.ts";

/** Untyped implementation of a method. The method descriptor has its schemas. */
export type Implementation = (request: unknown, context: HandlerContext) => unknown;

export interface MountedMethod extends MethodRules {
  readonly method: DescMethod;
  /** Whether its response is a stream. */
  readonly stream: boolean;
  readonly implementation: Implementation;
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
 * @param access who may call the methods, whose calls never cost anything. Default: the rules in `method-rules.ts`.
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
      const rules = access === undefined ? rulesOf(method) : { access, mayCost: false };
      const stream = method.methodKind === "server_streaming";
      return [{ method, stream, implementation: run.bind(implementation), ...rules }];
    }),
  };
}

/** Returns the path of a method in gRPC, gRPC-Web and Connect. */
export function pathOf({ parent, name }: Pick<DescMethod, "parent" | "name">): string {
  return `/${parent.typeName}/${name}`;
}
