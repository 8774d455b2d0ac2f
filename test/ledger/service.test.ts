import { readdirSync } from "node:fs";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport } from "@connectrpc/connect-node";
import { describe, expect, it, onTestFinished } from "vitest";
import { composeService } from "../../src/compose.ts";
import { loadConfig } from "../../src/config/load.ts";
import { addressOf } from "../../src/config/store.ts";
import { CallOutcome, type CallRecord } from "../../src/gen/dragoman/admin/v1/call_record_pb.js";
import { ChatService } from "../../src/gen/dragoman/v1/chat_service_pb.js";
import { ModelService } from "../../src/gen/dragoman/v1/model_service_pb.js";
import { dialects, listedModels, providers } from "../../src/providers/registry.ts";
import type { Service } from "../../src/server/service.ts";
import { connectDatabase } from "../support/databases.ts";
import { readRecords } from "../support/ledger-records.ts";
import { withOwnStore } from "../support/own-store.ts";
import { scriptEcho } from "../support/requests.ts";
import { createTextLog } from "../support/text-log.ts";

/** Starts a service with a ledger. `ship` stops it, and returns the records of its database. */
async function start(): Promise<{ readonly service: Service; ship(): Promise<ReadonlyMap<string, CallRecord>> }> {
  const environment = { DRAGOMAN_GRPC_ADDRESS: "127.0.0.1:0", DRAGOMAN_HTTP_ADDRESS: "127.0.0.1:0" };
  const known = providers.filter(({ name }) => name !== "local");
  const config = withOwnStore(loadConfig({ environment, providers: known, dialects, models: listedModels({}) }));
  const service = await composeService(config, createTextLog().log);
  onTestFinished(() => service.stop());
  return {
    service,
    async ship() {
      await service.stop();
      const { outbox, database } = config.store;
      expect(readdirSync(outbox)).toEqual([]);
      return readRecords(connectDatabase(addressOf(database)));
    },
  };
}

const codeOf = (error: unknown) => ConnectError.from(error).code;

describe("the ledger of a service", () => {
  it("has each call of a method that may cost something, with its outcome, and no other", async () => {
    const { service, ship } = await start();
    const transports = [
      createGrpcTransport({ baseUrl: `http://${service.grpcAddress}` }),
      createConnectTransport({ baseUrl: `http://${service.httpAddress}`, httpVersion: "1.1" }),
    ];
    const ids: string[] = [];
    for (const transport of transports) {
      const chats = createClient(ChatService, transport);
      const { completion } = await chats.completeChat({ chat: scriptEcho({ text: "hello" }) });
      ids.push(completion?.id ?? "");
      for await (const { event } of chats.streamChat({ chat: scriptEcho({ text: "a b" }) })) {
        if (event.case === "started") ids.push(event.value.id);
      }
      // Refused: no request, and one that cannot be decoded.
      expect(codeOf(await chats.completeChat({}).catch((error) => error))).toBe(Code.InvalidArgument);
      const deadline = chats.completeChat({ chat: scriptEcho({ text: "a", delay_ms: 5_000 }) }, { timeoutMs: 50 });
      expect(codeOf(await deadline.catch((error) => error))).toBe(Code.DeadlineExceeded);
      await chats.planChat({ chat: scriptEcho({ text: "plan" }) });
      await createClient(ModelService, transport).listModels({});
    }
    const post = (path: string, body: string) =>
      fetch(`http://${service.httpAddress}${path}`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body,
      });
    expect((await post("/v1/chat/completions", "{")).status).toBe(400);
    const body = JSON.stringify({ model: "echo/echo", messages: [{ role: "user", content: "hi" }] });
    expect((await post("/v1/chat/completions", body)).status).toBe(200);
    expect((await post("/dragoman.v1.ChatService/CompleteChat", "{")).status).toBe(400);
    const records = await ship();
    const seen = [...records.values()].map(
      ({ method, protocol, outcome }) => `${method} ${protocol} ${CallOutcome[outcome]}`,
    );
    const ofProtocol = (protocol: string) => [
      `CompleteChat ${protocol} OK`,
      `StreamChat ${protocol} OK`,
      `CompleteChat ${protocol} REFUSED`,
      `CompleteChat ${protocol} DEADLINE_EXCEEDED`,
    ];
    const others = ["openai http REFUSED", "openai http OK", "CompleteChat connect REFUSED"];
    expect(seen.sort()).toEqual([...ofProtocol("grpc"), ...ofProtocol("connect"), ...others].sort());
    for (const id of ids)
      expect(records.get(id)).toMatchObject({ usage: { quality: expect.any(Number) }, attempts: [{}] });
  });
});
