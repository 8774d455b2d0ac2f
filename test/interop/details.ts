import { createRegistry, fromBinary, type JsonValue, toJson } from "@bufbuild/protobuf";
import { ProviderErrorSchema } from "../../src/gen/dragoman/v1/error_pb.js";
import { BadRequestSchema, ErrorInfoSchema, RetryInfoSchema } from "../../src/gen/google/rpc/error_details_pb.js";

/** Error details in protobuf's JSON format, by full type name. */
export type Details = Readonly<Record<string, JsonValue>>;

const registry = createRegistry(ErrorInfoSchema, BadRequestSchema, RetryInfoSchema, ProviderErrorSchema);

/** Encoded detail of a status. */
export interface PackedDetail {
  readonly typeName: string;
  readonly bytes: Uint8Array;
}

/** Decodes the detail types that Dragoman sends. Drops others. */
export function decodeDetails(packed: readonly PackedDetail[]): Details {
  return Object.fromEntries(
    packed.flatMap(({ typeName, bytes }) => {
      const schema = registry.getMessage(typeName);
      return schema ? [[typeName, toJson(schema, fromBinary(schema, bytes))]] : [];
    }),
  );
}
