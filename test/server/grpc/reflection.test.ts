import { create, createFileRegistry, fromBinary } from "@bufbuild/protobuf";
import { type FileDescriptorProto, FileDescriptorProtoSchema, FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  ServerReflectionRequestSchema,
  type ServerReflectionResponse,
  ServerReflection as ServerReflectionV1,
} from "../../../src/gen/grpc/reflection/v1/reflection_pb.js";
import { ServerReflection as ServerReflectionV1Alpha } from "../../../src/gen/grpc/reflection/v1alpha/reflection_pb.js";
import { RoutingViewInMemory } from "../../support/routing-view.ts";
import { startTestService, type TestService } from "../../support/service.ts";

let service: TestService;
beforeAll(async () => {
  service = await startTestService({}, undefined, undefined, [], { routing: new RoutingViewInMemory() });
});
afterAll(() => service.stop());

type Question = NonNullable<Parameters<typeof create<typeof ServerReflectionRequestSchema>>[1]>["messageRequest"];

const versions = { v1: ServerReflectionV1, v1alpha: ServerReflectionV1Alpha } as const;

describe.each(["v1", "v1alpha"] as const)("reflection %s", (version) => {
  async function ask(messageRequest: Question): Promise<ServerReflectionResponse["messageResponse"]> {
    const transport = createGrpcTransport({ baseUrl: `http://${service.grpcAddress}` });
    // Both versions have the same wire format, so the test uses the types of v1.
    const client = createClient(versions[version] as typeof ServerReflectionV1, transport);
    async function* question() {
      yield create(ServerReflectionRequestSchema, { messageRequest } as { messageRequest: NonNullable<Question> });
    }
    for await (const { messageResponse } of client.serverReflectionInfo(question())) return messageResponse;
    return expect.fail("reflection sent no response");
  }

  async function files(question: Question): Promise<readonly FileDescriptorProto[]> {
    const answer = await ask(question);
    if (answer.case !== "fileDescriptorResponse") return expect.fail(`got ${answer.case}`);
    return answer.value.fileDescriptorProto.map((bytes) => fromBinary(FileDescriptorProtoSchema, bytes));
  }

  it("lists Dragoman's services, health and reflection", async () => {
    const answer = await ask({ case: "listServices", value: "" });
    if (answer.case !== "listServicesResponse") return expect.fail(`got ${answer.case}`);
    expect(answer.value.service.map(({ name }) => name)).toEqual([
      "dragoman.v1.ChatService",
      "dragoman.v1.EmbeddingService",
      "dragoman.v1.TokenService",
      "dragoman.v1.ModelService",
      "dragoman.admin.v1.RoutingService",
      "dragoman.admin.v1.KeyService",
      "dragoman.admin.v1.AccountService",
      "dragoman.admin.v1.UsageService",
      "grpc.health.v1.Health",
      "grpc.reflection.v1.ServerReflection",
      "grpc.reflection.v1alpha.ServerReflection",
    ]);
  });

  it.each([
    "dragoman.v1.ChatService",
    "dragoman.v1.ChatService.StreamChat",
    "dragoman.admin.v1.RoutingService.ListTargets",
    "dragoman.admin.v1.UsageService.QueryUsage",
    "dragoman.v1.ChatRequest",
    "dragoman.v1.ChatRequest.model",
    "dragoman.v1.Role",
    "dragoman.v1.Role.ROLE_USER",
    "grpc.health.v1.Health",
    "google.rpc.ErrorInfo",
  ])("returns the file of %s with all its imports", async (symbol) => {
    const closure = await files({ case: "fileContainingSymbol", value: symbol });
    const names = closure.map(({ name }) => name);
    for (const { dependency } of closure) expect(names).toEqual(expect.arrayContaining(dependency));
    expect(new Set(names).size).toBe(names.length);
    const registry = createFileRegistry(create(FileDescriptorSetSchema, { file: inOrder(closure) }));
    const owner = registry.get(symbol) ?? registry.get(symbol.slice(0, symbol.lastIndexOf(".")));
    expect(owner).toBeDefined();
  });

  it("returns comments and proto3 optional fields", async () => {
    const [file] = await files({ case: "fileByFilename", value: "dragoman/v1/parameters.proto" });
    const temperature = file?.messageType[0]?.field.find(({ name }) => name === "temperature");
    expect(temperature?.proto3Optional).toBe(true);
    const comments = file?.sourceCodeInfo?.location.map(({ leadingComments }) => leadingComments).join("\n");
    expect(comments).toContain("Randomness, 0 to 2");
  });

  it("finds extensions", async () => {
    const numbers = await ask({ case: "allExtensionNumbersOfType", value: "google.protobuf.FieldOptions" });
    expect(numbers).toMatchObject({
      case: "allExtensionNumbersResponse",
      value: { extensionNumber: expect.arrayContaining([1159]) },
    });
    const extension = { containingType: "google.protobuf.FieldOptions", extensionNumber: 1159 };
    const [file] = await files({ case: "fileContainingExtension", value: extension } as Question);
    expect(file?.name).toBe("buf/validate/validate.proto");
  });

  it("returns NOT_FOUND for unknown symbols and files", async () => {
    for (const question of [
      { case: "fileContainingSymbol", value: "dragoman.v1.Missing" },
      { case: "fileContainingSymbol", value: "dragoman.v1.ChatService.Missing" },
      { case: "fileByFilename", value: "missing.proto" },
    ] as const) {
      expect(await ask(question)).toMatchObject({ case: "errorResponse", value: { errorCode: 5 } });
    }
  });
});

/** Sorts files so that each follows its imports. */
function inOrder(files: readonly FileDescriptorProto[]): FileDescriptorProto[] {
  const ordered: FileDescriptorProto[] = [];
  const visit = (file: FileDescriptorProto): void => {
    if (ordered.includes(file)) return;
    for (const imported of files) if (file.dependency.includes(imported.name)) visit(imported);
    ordered.push(file);
  };
  files.forEach(visit);
  return ordered;
}
