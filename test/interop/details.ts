import { createRegistry, fromBinary, type JsonValue, toJson } from "@bufbuild/protobuf";
import { ProviderErrorSchema } from "../../src/gen/dragoman/v1/error_pb.js";
import { BadRequestSchema, ErrorInfoSchema, RetryInfoSchema } from "../../src/gen/google/rpc/error_details_pb.js";

/** The details of an error in protobuf's JSON, by the full name of their type. */
export type Details = Readonly<Record<string, JsonValue>>;

const registry = createRegistry(ErrorInfoSchema, BadRequestSchema, RetryInfoSchema, ProviderErrorSchema);

/** A detail as it came in a status. */
export interface PackedDetail {
  readonly typeName: string;
  readonly bytes: Uint8Array;
}

/** Decodes the details that this service sends; others are left out. */
export function decodeDetails(packed: readonly PackedDetail[]): Details {
  return Object.fromEntries(
    packed.flatMap(({ typeName, bytes }) => {
      const schema = registry.getMessage(typeName);
      return schema ? [[typeName, toJson(schema, fromBinary(schema, bytes))]] : [];
    }),
  );
}
