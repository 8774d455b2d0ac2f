import { hash } from "node:crypto";
import { create, createFileRegistry, type DescService, type Message } from "@bufbuild/protobuf";
import {
  FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
  file_google_protobuf_wrappers,
  type StringValue,
  StringValueSchema,
} from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, encodeBinaryHeader, type HandlerContext } from "@connectrpc/connect";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { ErrorInfoSchema, HelpSchema } from "../../src/gen/google/rpc/error_details_pb.js";
import { answerCall, streamCall } from "../../src/server/services/admitted-call.ts";
import { mountService } from "../../src/server/services/mounted-service.ts";
import { type ConfigChange, protocols, requireKey, startTestService, type TestService } from "../support/service.ts";

/** Creates the descriptor of a service with a unary method `Say` and a server-streaming method `Count`. */
function describeService(name: string): DescService {
  const strings = { inputType: ".google.protobuf.StringValue", outputType: ".google.protobuf.StringValue" };
  const file = create(FileDescriptorProtoSchema, {
    name: `${name}.proto`,
    package: "test",
    syntax: "proto3",
    dependency: [file_google_protobuf_wrappers.proto.name],
    service: [
      {
        name,
        method: [
          { name: "Say", ...strings },
          { name: "Count", ...strings, serverStreaming: true },
          { name: "Missing", ...strings },
        ],
      },
    ],
  });
  const set = create(FileDescriptorSetSchema, { file: [file_google_protobuf_wrappers.proto, file] });
  const service = createFileRegistry(set).getService(`test.${name}`);
  if (service === undefined) throw new Error("the registry has the service");
  return service;
}

const openService = describeService("OpenService");
const guardedService = describeService("GuardedService");
const viewerService = describeService("ViewerService");
const adminService = describeService("AdminService");

/** What the request asks for. */
const failures: Readonly<Record<string, () => unknown>> = {
  "a bare ConnectError": () => new ConnectError("half \ud83d", Code.FailedPrecondition, { "x-why": "bare" }),
  "a ConnectError with details": () =>
    new ConnectError("see the help", Code.DataLoss, undefined, [
      { desc: HelpSchema, value: { links: [{ url: "https://example.com" }] } },
    ]),
  "an exception": () => new Error("a secret"),
};

/** Asks for a response that cannot be encoded. */
const notString = "not a string";

const bytes = Uint8Array.from([1, 2, 3, 4]);

function setHeaders({ responseHeader, responseTrailer }: HandlerContext): void {
  responseHeader.append("x-twice", "a");
  responseHeader.append("x-twice", "b");
  responseHeader.set("header-bin", encodeBinaryHeader(bytes));
  responseTrailer.set("x-trailer", "c");
  responseTrailer.set("trailer-bin", encodeBinaryHeader(bytes));
}

function answer(text: string): StringValue {
  const failure = failures[text];
  if (failure !== undefined) throw failure();
  return create(StringValueSchema, { value: text === notString ? (Object.create(null) as never) : text });
}

const implementation = {
  say: (request: Message, context: HandlerContext) =>
    answerCall(context, () => {
      setHeaders(context);
      return answer(context.requestHeader.get("x-word") ?? (request as StringValue).value);
    }),
  count: (request: Message, context: HandlerContext) =>
    streamCall(context, async function* () {
      setHeaders(context);
      const { value } = request as StringValue;
      if (value !== "nothing") yield answer(value);
    }),
};

/** Requires the API key `right`, and accepts a key for each higher role, with the role as the key. */
const withRoles: ConfigChange = (config) => {
  const { authentication, ...rest } = requireKey(config);
  const more = (["viewer", "admin"] as const).map((role) => {
    return { ...{ id: role, sha256: hash("sha256", role, "buffer"), accounts: [] }, defaultAccount: undefined, role };
  });
  return { ...rest, authentication: { ...authentication, keys: [...authentication.keys, ...more] } };
};

let service: TestService;
beforeAll(async () => {
  service = await startTestService({}, withRoles, undefined, [
    mountService(viewerService, implementation as object, "viewer"),
    mountService(adminService, implementation as object, "admin"),
    mountService(openService, implementation as object, "open"),
    mountService(guardedService, implementation as object, "authenticated"),
  ]);
});
beforeEach(() => service.forgetRecords());
afterAll(() => service.stop());

/** Result of a call: its messages, or its error, with what the client saw in the headers and the trailers. */
interface Result {
  readonly values: readonly string[];
  readonly error: ConnectError | undefined;
  readonly headers: Headers;
  readonly trailers: Headers;
}

const methods = ["say", "count"] as const;

async function call(
  protocol: (typeof protocols)[number],
  desc: DescService,
  method: string,
  value: string,
  sent: Record<string, string> = {},
): Promise<Result> {
  const client = service.client(desc, protocol) as Record<string, (...args: unknown[]) => unknown>;
  let headers = new Headers();
  let trailers = new Headers();
  const options = {
    headers: sent,
    onHeader: (received: Headers) => {
      headers = received;
    },
    onTrailer: (received: Headers) => {
      trailers = received;
    },
  };
  const values: string[] = [];
  try {
    const result = client[method]?.({ value }, options);
    if (method === "count") for await (const item of result as AsyncIterable<StringValue>) values.push(item.value);
    else values.push(((await result) as StringValue).value);
    return { values, error: undefined, headers, trailers };
  } catch (thrown) {
    const error = ConnectError.from(thrown);
    return { values, error, headers, trailers: error.metadata };
  }
}

const base64 = encodeBinaryHeader(bytes);

describe.each(protocols)("a further service over %s", (protocol) => {
  it.each(methods)("sends the headers and trailers that %s sets, and writes a record", async (method) => {
    const { values, headers, trailers } = await call(protocol, openService, method, "hi");
    expect(values).toEqual(["hi"]);
    expect(headers.get("x-request-id")).toMatch(/^chatcmpl-/);
    expect(headers.get("x-twice")).toBe("a, b");
    expect(headers.get("header-bin")).toBe(base64);
    expect(trailers.get("x-trailer")).toBe("c");
    expect(trailers.get("trailer-bin")).toBe(base64);
    expect(await service.nextRecord()).toMatchObject({ outcome: "ok", keyId: "" });
  });

  it("sends the headers and trailers of a stream without a message", async () => {
    const { values, error, headers, trailers } = await call(protocol, openService, "count", "nothing");
    expect(error).toBeUndefined();
    expect(values).toEqual([]);
    expect(headers.get("x-twice")).toBe("a, b");
    expect(trailers.get("x-trailer")).toBe("c");
    expect(await service.nextRecord()).toMatchObject({ outcome: "ok" });
  });

  it.each(methods)("keeps the code and the message of a bare ConnectError, and adds ErrorInfo: %s", async (method) => {
    const { error, headers, trailers } = await call(protocol, openService, method, "a bare ConnectError");
    expect(error).toMatchObject({ code: Code.FailedPrecondition, rawMessage: "half \ufffd" });
    expect(error?.findDetails(ErrorInfoSchema)).toMatchObject([{ domain: "dragoman", reason: "INVALID_REQUEST" }]);
    const named = (name: string) => headers.get(name) ?? trailers.get(name);
    expect(named("x-why")).toBe("bare");
    expect(named("x-trailer")).toBe("c");
    expect(named("x-request-id")).toMatch(/^chatcmpl-/);
    expect(await service.nextRecord()).toMatchObject({ outcome: "refused", reason: "INVALID_REQUEST" });
  });

  it.each(methods)("keeps the details of a ConnectError: %s", async (method) => {
    const { error } = await call(protocol, openService, method, "a ConnectError with details");
    expect(error).toMatchObject({ code: Code.DataLoss, rawMessage: "see the help" });
    expect(error?.findDetails(HelpSchema)).toMatchObject([{ links: [{ url: "https://example.com" }] }]);
    expect(error?.findDetails(ErrorInfoSchema)).toEqual([]);
  });

  it.each(methods)("reports an exception as INTERNAL, without its text: %s", async (method) => {
    const { error } = await call(protocol, openService, method, "an exception");
    expect(error?.findDetails(ErrorInfoSchema)).toMatchObject([{ reason: "INTERNAL" }]);
    expect(error?.message).not.toContain("secret");
    expect(await service.nextRecord()).toMatchObject({ reason: "INTERNAL" });
  });

  it.each(methods)("reports a response that cannot be encoded as INTERNAL, and ends the call: %s", async (method) => {
    const { values, error } = await call(protocol, openService, method, notString);
    expect(values).toEqual([]);
    expect(error?.code).toBe(Code.Internal);
    const record = await service.nextRecord();
    // A unary method settles its call before the response is encoded, and connect-node tells a stream nothing.
    if (protocol === "grpc" && method === "count") expect(record).toMatchObject({ reason: "INTERNAL" });
    if (protocol === "grpc") expect(error?.findDetails(ErrorInfoSchema)).toMatchObject([{ reason: "INTERNAL" }]);
  });

  it("reads request headers from its context", async () => {
    const { values } = await call(protocol, openService, "say", "", { "x-word": "from a header" });
    expect(values).toEqual(["from a header"]);
  });

  it("needs a key unless it is open", async () => {
    const { error } = await call(protocol, guardedService, "say", "hi");
    expect(error?.findDetails(ErrorInfoSchema)).toMatchObject([{ reason: "CREDENTIALS_MISSING" }]);
    expect((await call(protocol, guardedService, "say", "hi", { "x-api-key": "right" })).values).toEqual(["hi"]);
    expect(await service.nextRecord()).toMatchObject({ reason: "CREDENTIALS_MISSING" });
    expect(await service.nextRecord()).toMatchObject({ outcome: "ok", keyId: "team-a" });
  });

  it.each(methods)("needs the role that its access names: %s", async (method) => {
    const needed = [
      [viewerService, { right: false, viewer: true, admin: true }],
      [adminService, { right: false, viewer: false, admin: true }],
    ] as const;
    for (const [desc, allowed] of needed) {
      for (const [key, isAllowed] of Object.entries(allowed)) {
        service.forgetRecords();
        const { values, error } = await call(protocol, desc, method, "hi", { "x-api-key": key });
        expect(values).toEqual(isAllowed ? ["hi"] : []);
        const reason = isAllowed ? undefined : "ROLE_NOT_ALLOWED";
        expect(error?.findDetails(ErrorInfoSchema)[0]?.reason).toBe(reason);
        expect(await service.nextRecord()).toMatchObject({ reason, keyId: key === "right" ? "team-a" : key });
      }
    }
  });

  it("reports a method without an implementation as METHOD_NOT_FOUND", async () => {
    const { error } = await call(protocol, openService, "missing", "hi");
    expect(error?.findDetails(ErrorInfoSchema)).toMatchObject([{ reason: "METHOD_NOT_FOUND" }]);
  });
});
