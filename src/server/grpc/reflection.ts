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
import type { handleBidiStreamingCall, Server } from "@grpc/grpc-js";
import {
  type ServerReflectionRequest,
  ServerReflectionRequestSchema,
  type ServerReflectionResponse,
  ServerReflectionResponseSchema,
} from "../../gen/grpc/reflection/v1/reflection_pb.js";
import { decodeRequest } from "../services/decode-request.ts";

type MessageResponse = NonNullable<MessageInitShape<typeof ServerReflectionResponseSchema>["messageResponse"]>;

/** gRPC status codes, which the reflection protocol sends inside its responses. */
const notFound = 5;
const invalidArgument = 3;

/** Paths of the reflection methods. */
export const reflectionPaths: readonly string[] = ["v1", "v1alpha"].map(
  (version) => `/grpc.reflection.${version}.ServerReflection/ServerReflectionInfo`,
);

/**
 * Adds server reflection: grpc.reflection v1, and v1alpha for older tools (both have the same wire format).
 *
 * `@grpc/reflection` is not used: it reads descriptors through protobufjs, which loses `optional`, custom options and
 * comments. This implementation sends buf's descriptors unchanged, so `grpcurl describe` shows the documentation.
 */
export function addReflection(server: Server, services: readonly string[]): void {
  const respond = createReflector(services);
  const handler: handleBidiStreamingCall<ServerReflectionRequest, ServerReflectionResponse> = (call) => {
    call.on("data", (request: ServerReflectionRequest) => call.write(respond(request)));
    call.on("end", () => call.end());
  };
  for (const path of reflectionPaths) {
    const definition = {
      path,
      requestStream: true,
      responseStream: true,
      requestSerialize: (value: ServerReflectionRequest) => Buffer.from(toBinary(ServerReflectionRequestSchema, value)),
      requestDeserialize: (bytes: Buffer) => decodeRequest(ServerReflectionRequestSchema, bytes),
      responseSerialize: (value: ServerReflectionResponse) =>
        Buffer.from(toBinary(ServerReflectionResponseSchema, value)),
      responseDeserialize: (bytes: Buffer) => fromBinary(ServerReflectionResponseSchema, bytes),
    } as const;
    server.addService({ serverReflectionInfo: definition }, { serverReflectionInfo: handler });
  }
}

/** Creates a function that responds to reflection requests from the generated descriptor set. */
function createReflector(services: readonly string[]): (request: ServerReflectionRequest) => ServerReflectionResponse {
  const bytes = readFileSync(new URL("../../gen/descriptors.binpb", import.meta.url));
  const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, bytes));

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

  function extensionsOf(typeName: string): readonly { number: number; file: DescFile }[] {
    return [...registry].flatMap((type) =>
      type.kind === "extension" && type.extendee.typeName === typeName
        ? [{ number: type.number, file: type.file }]
        : [],
    );
  }

  function respond({ messageRequest }: ServerReflectionRequest): MessageResponse {
    switch (messageRequest.case) {
      case "listServices":
        return { case: "listServicesResponse", value: { service: services.map((name) => ({ name })) } };
      case "fileByFilename":
        return files(registry.getFile(messageRequest.value), messageRequest.value);
      case "fileContainingSymbol":
        return files(fileOf(messageRequest.value), messageRequest.value);
      case "fileContainingExtension": {
        const { containingType, extensionNumber } = messageRequest.value;
        const found = extensionsOf(containingType).find(({ number }) => number === extensionNumber);
        return files(found?.file, `${containingType} extension ${extensionNumber}`);
      }
      case "allExtensionNumbersOfType": {
        if (registry.getMessage(messageRequest.value) === undefined) return missing(messageRequest.value);
        const extensionNumber = extensionsOf(messageRequest.value).map(({ number }) => number);
        return {
          case: "allExtensionNumbersResponse",
          value: { baseTypeName: messageRequest.value, extensionNumber },
        };
      }
      case undefined:
        return {
          case: "errorResponse",
          value: { errorCode: invalidArgument, errorMessage: "message_request is not set" },
        };
      default:
        return messageRequest satisfies never;
    }
  }

  return (request) =>
    create(ServerReflectionResponseSchema, {
      validHost: request.host,
      originalRequest: request,
      messageResponse: respond(request),
    });
}

/** Returns the file and all its imports, so that the client needs only one request. */
function files(file: DescFile | undefined, requested: string): MessageResponse {
  if (file === undefined) return missing(requested);
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

function missing(requested: string): MessageResponse {
  return { case: "errorResponse", value: { errorCode: notFound, errorMessage: `not found: ${requested}` } };
}
