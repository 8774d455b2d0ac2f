import { readFileSync } from "node:fs";
import { createFileRegistry, type DescMessage, type DescService, fromBinary } from "@bufbuild/protobuf";
import { type Any, FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { installed } from "../interop/tools.ts";

/** Descriptors of the conformance protos, which `.ci/interop-tools` builds from the runner's own module. */
export const descriptors = installed("conformance.binpb");

// Messages of the conformance protos, as far as the server reads them.

export interface ServerCompatRequest {
  /** 2 is gRPC. */
  readonly protocol: number;
  readonly useTls: boolean;
  /** Maximum message size in bytes. 0: no maximum. */
  readonly messageReceiveLimit: number;
  readonly serverCreds?: { readonly cert: Uint8Array; readonly key: Uint8Array };
}

export interface Header {
  readonly name: string;
  readonly value: readonly string[];
}

export interface ErrorDefinition {
  readonly code: number;
  readonly message?: string;
  readonly details: readonly Any[];
}

export interface ResponseDefinition {
  readonly responseHeaders: readonly Header[];
  readonly responseTrailers: readonly Header[];
  readonly responseDelayMs: number;
}

export interface UnaryDefinition extends ResponseDefinition {
  readonly response:
    | { readonly case: "responseData"; readonly value: Uint8Array }
    | { readonly case: "error"; readonly value: ErrorDefinition }
    | { readonly case: undefined };
}

export interface StreamDefinition extends ResponseDefinition {
  readonly responseData: readonly Uint8Array[];
  readonly error?: ErrorDefinition;
}

interface Schemas {
  readonly service: DescService;
  message(name: string): DescMessage;
}

/** Loads the descriptors of the conformance protos. */
export function loadSchemas(): Schemas {
  const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, readFileSync(descriptors)));
  const fullName = (name: string): string => `connectrpc.conformance.v1.${name}`;
  const service = registry.getService(fullName("ConformanceService"));
  if (service === undefined) throw new Error(`${descriptors} has no ConformanceService`);
  return {
    service,
    message(name) {
      const found = registry.getMessage(fullName(name));
      if (found === undefined) throw new Error(`${descriptors} has no message ${name}`);
      return found;
    },
  };
}
