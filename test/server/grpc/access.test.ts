import { toBinary } from "@bufbuild/protobuf";
import { Code, type HandlerContext } from "@connectrpc/connect";
import { afterEach, describe, expect, it } from "vitest";
import type { Authenticate, Caller } from "../../../src/accounts/keys.ts";
import { ActiveCalls } from "../../../src/calls/active-calls.ts";
import { Snapshots } from "../../../src/calls/snapshot.ts";
import { loadConfig } from "../../../src/config/load.ts";
import { GatewayError } from "../../../src/errors.ts";
import { ChatService, CompleteChatRequestSchema } from "../../../src/gen/dragoman/v1/chat_service_pb.js";
import type { CallRecord } from "../../../src/ledger/record.ts";
import { Rejections } from "../../../src/load/rejections.ts";
import { createCatalog } from "../../../src/models/catalog.ts";
import { listenGrpc } from "../../../src/server/grpc/listener.ts";
import type { Listener, Services } from "../../../src/server/listener.ts";
import { enterMethod } from "../../../src/server/services/admitted-call.ts";
import { mountService } from "../../../src/server/services/mounted-service.ts";
import { callBounds, callEnvironment } from "../../support/call-environment.ts";
import { callRaw, endingOfGrpc, frame, openGrpc } from "../raw-calls.ts";

const config = loadConfig({ environment: { DRAGOMAN_GRPC_ADDRESS: "127.0.0.1:0" }, providers: [], models: [] });
const completeChat = "/dragoman.v1.ChatService/CompleteChat";
const message = toBinary(CompleteChatRequestSchema, { $typeName: "dragoman.v1.CompleteChatRequest" });
const caller: Caller = {
  keyId: "k",
  accounts: [],
  defaultAccount: undefined,
  requireAccount: false,
  role: "caller",
  roleAdvice: "",
};

let listener: Listener | undefined;
afterEach(() => listener?.close());

/** Opens a gRPC listener with the given implementation for every method. */
async function listen(method: (context: HandlerContext) => unknown, authenticate: Authenticate = () => caller) {
  const records: CallRecord[] = [];
  const catalog = createCatalog([], []);
  const snapshots = new Snapshots({ authenticate, bounds: callBounds(), catalog, adapters: new Map() });
  const observers = [{ settled: (record: CallRecord) => void records.push(record) }];
  const calls = new ActiveCalls(snapshots, callEnvironment({ observers }));
  const handler = (_: unknown, context: HandlerContext) => {
    enterMethod(context);
    return method(context);
  };
  // The handlers deliberately do not match the types of the methods.
  const implementation = { completeChat: handler, streamChat: handler, planChat: handler } as object;
  const services: Services = {
    calls,
    mounted: [mountService(ChatService, implementation)],
    rejections: new Rejections(() => {}),
  };
  listener = await listenGrpc(config, services);
  const { host, port } = listener.address;
  return { records, grpcAddress: `${host}:${port}`, httpAddress: "" };
}

describe("errors that grpc-js would send without details", () => {
  it("ends a method with ErrorInfo when its deadline passes", async () => {
    const service = await listen(() => new Promise(() => {}));
    const headers = { "grpc-timeout": "100m", "x-request-id": "call-1" };
    const ending = await callRaw("grpc", service, { path: completeChat, body: frame(message), headers });
    expect(ending).toMatchObject({ code: Code.DeadlineExceeded, info: { reason: "DEADLINE_EXCEEDED" } });
    expect(ending.info?.metadata.request_id).toBe("call-1");
    expect(service.records).toMatchObject([{ outcome: "deadline_exceeded", requestId: "call-1" }]);
  });

  it("returns INTERNAL with ErrorInfo if a response cannot be encoded", async () => {
    const service = await listen(() => ({ $typeName: "dragoman.v1.CompleteChatResponse", completion: 1 }));
    const headers = { "x-request-id": "call-1" };
    const ending = await callRaw("grpc", service, { path: completeChat, body: frame(message), headers });
    expect(ending).toMatchObject({ code: Code.Internal, info: { reason: "INTERNAL", domain: "dragoman" } });
    expect(ending.info?.metadata.request_id).toBe("call-1");
  });

  it("percent-encodes a status message once", async () => {
    const service = await listen(() => ({}));
    const name = Buffer.from("no such service");
    const body = frame(Buffer.concat([Buffer.from([0x0a, name.length]), name]));
    const ending = await callRaw("grpc", service, { path: "/grpc.health.v1.Health/Check", body });
    expect(decodeURI(ending.message)).not.toContain("%");
  });
});

describe("asynchronous authentication from the request headers", () => {
  it("reads no request body before authentication and runs the method afterwards", async () => {
    const decision = Promise.withResolvers<Caller>();
    const asked = Promise.withResolvers<void>();
    let reached = false;
    const service = await listen(
      () => {
        reached = true;
        throw new GatewayError("MODEL_NOT_FOUND", "reached");
      },
      () => {
        asked.resolve();
        return decision.promise;
      },
    );
    const opened = openGrpc(service.grpcAddress, { path: completeChat });
    const body = frame(Buffer.alloc(1_000_000));
    opened.stream.write(body);
    await asked.promise;
    // The service reads frames in order: once it acknowledges the ping, it has all bytes that flow control allows.
    await new Promise((resolve) => opened.session.ping(resolve));
    expect(opened.stream.writableLength).toBeGreaterThan(0);
    expect(reached).toBe(false);
    decision.resolve(caller);
    opened.stream.end();
    // A million zero bytes are not a valid message.
    expect(await endingOfGrpc(opened)).toMatchObject({ code: Code.InvalidArgument });
  });

  it("rejects a call with ErrorInfo and one record if authentication fails", async () => {
    const service = await listen(
      () => expect.fail("the method runs"),
      () => Promise.reject(new GatewayError("CREDENTIALS_INVALID", "the key is not known")),
    );
    const headers = { "x-request-id": "call-1" };
    const ending = await callRaw("grpc", service, { path: completeChat, body: frame(message), headers });
    expect(ending).toMatchObject({ code: Code.Unauthenticated, info: { reason: "CREDENTIALS_INVALID" } });
    expect(service.records).toMatchObject([{ reason: "CREDENTIALS_INVALID", requestId: "call-1" }]);
  });

  it("records a client that disconnects during authentication", async () => {
    const decision = Promise.withResolvers<Caller>();
    const asked = Promise.withResolvers<void>();
    const service = await listen(
      () => expect.fail("the method runs"),
      () => {
        asked.resolve();
        return decision.promise;
      },
    );
    const opened = openGrpc(service.grpcAddress, { path: completeChat });
    await asked.promise;
    opened.session.destroy();
    await expect.poll(() => service.records.length).toBe(1);
    expect(service.records).toMatchObject([{ outcome: "cancelled" }]);
    decision.resolve(caller);
  });
});
