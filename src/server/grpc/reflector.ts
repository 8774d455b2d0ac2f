import { readFileSync } from "node:fs";
import {
  create,
  createFileRegistry,
  type DescFile,
  fromBinary,
  type MessageInitShape,
  toBinary,
} from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema, FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import {
  type ServerReflectionRequest,
  ServerReflectionRequestSchema,
  ServerReflectionResponseSchema,
} from "../../gen/grpc/reflection/v1/reflection_pb.js";

type MessageResponse = NonNullable<MessageInitShape<typeof ServerReflectionResponseSchema>["messageResponse"]>;

/** gRPC status codes, which the reflection protocol sends inside its responses. */
const notFound = 5;
const invalidArgument = 3;

/** Returns the encoded response to an encoded request, in two parts. Throws if the request is malformed. */
export type Reflector = (request: Uint8Array) => readonly [echo: Uint8Array, result: Uint8Array];

/**
 * Creates a function that responds to reflection requests from the generated descriptor set.
 *
 * A response echoes the request, but its result depends only on the file. Each file's result, which includes all its
 * imports, is encoded once, and all its readers share the bytes.
 */
export function createReflector(names: readonly string[]): Reflector {
  const bytes = readFileSync(new URL("../../gen/descriptors.binpb", import.meta.url));
  const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, bytes));
  const encodedFiles = new Map<DescFile, Uint8Array>();
  const extensions = new Map<string, Map<number, DescFile>>();
  for (const type of registry) {
    if (type.kind !== "extension") continue;
    const { typeName } = type.extendee;
    extensions.set(typeName, (extensions.get(typeName) ?? new Map()).set(type.number, type.file));
  }
  // Lists no service without a descriptor: tools fail if they cannot look up what is listed.
  const services = names.filter((name) => registry.getService(name) !== undefined);
  const encodedServices = encode({
    case: "listServicesResponse",
    value: { service: services.map((name) => ({ name })) },
  });

  function fileOf(symbol: string): DescFile | undefined {
    const found = registry.get(symbol);
    if (found !== undefined) return found.file;
    // The registry has no entries for methods, fields and enum values. Look up the type or service that contains them.
    const dot = symbol.lastIndexOf(".");
    const owner = dot > 0 ? registry.get(symbol.slice(0, dot)) : undefined;
    const name = symbol.slice(dot + 1);
    switch (owner?.kind) {
      case "service":
        return owner.methods.some((method) => method.name === name) ? owner.file : undefined;
      case "message":
        return owner.members.some((member) => member.name === name) ? owner.file : undefined;
      case "enum":
        return owner.values.some((value) => value.name === name) ? owner.file : undefined;
      default:
        return undefined;
    }
  }

  function encodeFile(file: DescFile | undefined, requested: string): Uint8Array {
    if (file === undefined) return missing(requested);
    const known = encodedFiles.get(file);
    if (known !== undefined) return known;
    const encoded = encode(withImports(file));
    encodedFiles.set(file, encoded);
    return encoded;
  }

  function resultOf({ messageRequest }: ServerReflectionRequest): Uint8Array {
    switch (messageRequest.case) {
      case "listServices":
        return encodedServices;
      case "fileByFilename":
        return encodeFile(registry.getFile(messageRequest.value), messageRequest.value);
      case "fileContainingSymbol":
        return encodeFile(fileOf(messageRequest.value), messageRequest.value);
      case "fileContainingExtension": {
        const { containingType, extensionNumber } = messageRequest.value;
        const file = extensions.get(containingType)?.get(extensionNumber);
        return encodeFile(file, `${containingType} extension ${extensionNumber}`);
      }
      case "allExtensionNumbersOfType": {
        const baseTypeName = messageRequest.value;
        if (registry.getMessage(baseTypeName) === undefined) return missing(baseTypeName);
        const extensionNumber = [...(extensions.get(baseTypeName)?.keys() ?? [])];
        return encode({ case: "allExtensionNumbersResponse", value: { baseTypeName, extensionNumber } });
      }
      case undefined:
        return encode({
          case: "errorResponse",
          value: { errorCode: invalidArgument, errorMessage: "message_request is not set" },
        });
      default:
        return messageRequest satisfies never;
    }
  }

  return (bytes) => {
    const request = fromBinary(ServerReflectionRequestSchema, bytes);
    const echo = create(ServerReflectionResponseSchema, { validHost: request.host, originalRequest: request });
    return [toBinary(ServerReflectionResponseSchema, echo), resultOf(request)];
  };
}

/** Encodes the result alone. Protobuf joins messages by concatenation, so it can follow the encoded echo. */
function encode(messageResponse: MessageResponse): Uint8Array {
  return toBinary(ServerReflectionResponseSchema, create(ServerReflectionResponseSchema, { messageResponse }));
}

/** Returns the file and all its imports, so that the client needs only one request. */
function withImports(file: DescFile): MessageResponse {
  const closure = new Set<DescFile>();
  const visit = (current: DescFile): void => {
    if (closure.has(current)) return;
    closure.add(current);
    current.dependencies.forEach(visit);
  };
  visit(file);
  const fileDescriptorProto = [...closure].map(({ proto }) => toBinary(FileDescriptorProtoSchema, proto));
  return { case: "fileDescriptorResponse", value: { fileDescriptorProto } };
}

function missing(requested: string): Uint8Array {
  return encode({ case: "errorResponse", value: { errorCode: notFound, errorMessage: `not found: ${requested}` } });
}
