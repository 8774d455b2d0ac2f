import { once } from "node:events";
import { connect } from "node:http2";
import { setImmediate as nextTurn } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { CallObserver } from "../../src/ledger/call-observer.ts";
import { scriptEcho } from "../support/requests.ts";
import { protocols, startTestService, type TestService } from "../support/service.ts";

let service: TestService;
let held: PromiseWithResolvers<void>;
let settled: PromiseWithResolvers<string>;

/** Holds the end of each response that may cost something. */
const observer: CallObserver = {
  settled(record) {
    if (!record.mayCost) return undefined;
    settled.resolve(record.outcome);
    return held.promise;
  },
};

beforeAll(async () => {
  service = await startTestService({}, undefined, undefined, [], { observers: [observer] });
});
afterAll(() => service.stop());
beforeEach(() => {
  held = Promise.withResolvers();
  settled = Promise.withResolvers();
});

/** Expects that a response ends only when the observer has the record, which has this outcome. */
async function expectHeld(response: Promise<unknown>, outcome: string): Promise<void> {
  let isEnded = false;
  const ended = response.then(
    () => (isEnded = true),
    () => (isEnded = true),
  );
  expect(await settled.promise).toBe(outcome);
  // Another response arrives meanwhile, over gRPC on the same connection.
  for (const protocol of protocols) await service.modelClient(protocol).listModels({});
  for (let turn = 0; turn < 20; turn++) await nextTurn();
  expect(isEnded).toBe(false);
  held.resolve();
  await ended;
}

describe("the end of a response waits for the record", () => {
  describe.each(protocols)("over %s", (protocol) => {
    const complete = (chat: Parameters<typeof scriptEcho>[0], options = {}) =>
      service.chatClient(protocol).completeChat({ chat: scriptEcho(chat) }, options);

    it("of a call that succeeds", async () => {
      await expectHeld(complete({ text: "hello" }), "ok");
    });

    it("of a stream", async () => {
      const read = async () => {
        for await (const _ of service.chatClient(protocol).streamChat({ chat: scriptEcho({ text: "a b" }) }));
      };
      await expectHeld(read(), "ok");
    });

    it("of a call that fails", async () => {
      await expectHeld(complete({ fail: { after: 0, reason: "PROVIDER_UNAVAILABLE" } }), "failed");
    });

    it("of a call that is refused", async () => {
      await expectHeld(service.chatClient(protocol).completeChat({}), "refused");
    });

    it("of a call whose deadline passes", async () => {
      // The client waits for the response.
      const headers = protocol.startsWith("connect") ? { "connect-timeout-ms": "50" } : { "grpc-timeout": "50m" };
      await expectHeld(complete({ text: "a", delay_ms: 10_000 }, { headers }), "deadline_exceeded");
    });
  });

  it("of a gRPC request that cannot be decoded", async () => {
    const session = connect(`http://${service.grpcAddress}`);
    const stream = session.request({
      ":method": "POST",
      ":path": "/dragoman.v1.ChatService/CompleteChat",
      "content-type": "application/grpc",
      te: "trailers",
    });
    stream.end(Buffer.from([0, 0, 0, 0, 2, 0xff, 0xff]));
    await expectHeld(once(stream.resume(), "end"), "refused");
    session.close();
  });

  it("of an HTTP API's request that is no JSON, and of one that is", async () => {
    const post = (body: string) =>
      fetch(`http://${service.httpAddress}/v1/chat/completions`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body,
      });
    await expectHeld(post("{"), "refused");
    [held, settled] = [Promise.withResolvers(), Promise.withResolvers()];
    await expectHeld(post(JSON.stringify({ model: "echo/echo", messages: [{ role: "user", content: "hi" }] })), "ok");
  });
});
