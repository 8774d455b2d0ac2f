import { once } from "node:events";
import { create, toBinary } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { StreamChatRequestSchema } from "../../src/gen/dragoman/v1/chat_service_pb.js";
import { streamEnd, textChunk } from "../support/openai-wire.ts";
import { type ReplayUpstream, type Script, startReplayUpstream } from "../support/replay-upstream.ts";
import { ask, scriptEcho } from "../support/requests.ts";
import { startTestService, type TestService } from "../support/service.ts";
import { frame, openGrpc } from "./raw-calls.ts";

const limits = { "x-ratelimit-limit-requests": "9", "x-ratelimit-remaining-requests": "0", "x-request-id": "r" };
const firstOutput = Promise.withResolvers<void>();

const limited: Script = {
  status: 429,
  headers: { "content-type": "application/json", ...limits },
  steps: [{ write: '{"error":{"code":"rate_limit_exceeded","message":"slow down"}}' }],
};
const accepted: Script = {
  headers: limits,
  steps: [
    { write: ": the headers are here\n\n" },
    { hold: firstOutput.promise },
    { write: textChunk("a") + streamEnd },
  ],
};

let upstream: ReplayUpstream;
let service: TestService;
beforeAll(async () => {
  upstream = await startReplayUpstream(limited, limited, limited, limited, limited, limited, accepted);
  service = await startTestService({ VLLM_BASE_URL: upstream.baseUrl });
});
beforeEach(() => service.forgetRecords());
afterAll(async () => {
  await service.stop();
  await upstream[Symbol.asyncDispose]();
});

const chat = ask("vllm/m", "hi");

describe.each(["grpc", "connect", "grpc-web"] as const)("a call over %s that fails before output", (protocol) => {
  it("returns the request id and the provider's rate limits with an error", async () => {
    const client = service.chatClient(protocol);
    const headers = { "x-request-id": "call-7" };
    const seen: Headers[] = [];
    const options = { headers, onHeader: (received: Headers) => void seen.push(received) };
    const failures = [
      await client.completeChat({ chat }, options).catch(ConnectError.from),
      await (async () => {
        for await (const _ of client.streamChat({ chat }, options));
      })().catch(ConnectError.from),
    ];
    for (const failure of failures) {
      if (!(failure instanceof ConnectError)) return expect.fail("the call succeeded");
      expect(failure.code).toBe(Code.ResourceExhausted);
      const named = (name: string) =>
        failure.metadata.get(name) ?? seen.map((received) => received.get(name)).find(Boolean);
      expect(named("x-request-id")).toBe("call-7");
      expect(named("x-ratelimit-remaining-requests")).toBe("0");
    }
  });
});

it("sends a gRPC error before output as a Trailers-Only response", async () => {
  const body = toBinary(
    StreamChatRequestSchema,
    create(StreamChatRequestSchema, {
      chat: scriptEcho({ fail: { after: "started", reason: "PROVIDER_UNAVAILABLE" } }),
    }),
  );
  const { session, stream } = openGrpc(service.grpcAddress, { path: "/dragoman.v1.ChatService/StreamChat" });
  stream.end(frame(body));
  const [headers, flags] = await once(stream, "response");
  expect(headers).toMatchObject({ ":status": 200, "grpc-status": String(Code.Unavailable) });
  expect(headers["x-request-id"]).toMatch(/^chatcmpl-/);
  // Flag END_STREAM.
  expect(flags & 1).toBe(1);
  session.destroy();
});

it("sends nothing before the first output, even if the provider has accepted", async () => {
  const { session, stream } = openGrpc(service.grpcAddress, { path: "/dragoman.v1.ChatService/StreamChat" });
  const arrived = upstream.nextRequest();
  let answered = false;
  const response = once(stream, "response").then(() => {
    answered = true;
  });
  stream.end(frame(toBinary(StreamChatRequestSchema, create(StreamChatRequestSchema, { chat }))));
  await arrived;
  // Complete calls on other connections, so that the event loop had time to send headers.
  for (let call = 0; call < 20; call++) await service.chatClient("grpc").completeChat({ chat: ask("echo/echo", "x") });
  expect(answered).toBe(false);
  firstOutput.resolve();
  await response;
  session.destroy();
});
