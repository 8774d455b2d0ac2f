import { readdirSync } from "node:fs";
import { join } from "node:path";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport } from "@connectrpc/connect-node";
import { describe, expect, it } from "vitest";
import { CallOutcome, type CallRecord } from "../src/gen/dragoman/admin/v1/call_record_pb.js";
import { UsageGroup, UsageService } from "../src/gen/dragoman/admin/v1/usage_service_pb.js";
import { ChatService } from "../src/gen/dragoman/v1/chat_service_pb.js";
import { ErrorInfoSchema, RetryInfoSchema } from "../src/gen/google/rpc/error_details_pb.js";
import { startConfigured } from "./support/configured-process.ts";
import { connectDatabase, testFolder } from "./support/databases.ts";
import { readRecords } from "./support/ledger-records.ts";
import type { ServiceProcess } from "./support/process.ts";
import { scriptEcho } from "./support/requests.ts";

const transportsOf = ({ grpcAddress, httpAddress }: ServiceProcess) => ({
  grpc: createGrpcTransport({ baseUrl: `http://${grpcAddress}` }),
  connect: createConnectTransport({ baseUrl: `http://${httpAddress}`, httpVersion: "1.1" }),
});

/** Asks until the ledger has a call: records are shipped after the response. */
async function untilRecorded(
  get: () => Promise<{ readonly call?: CallRecord | undefined }>,
): Promise<CallRecord | undefined> {
  for (;;) {
    try {
      return (await get()).call;
    } catch (error) {
      if (ConnectError.from(error).code !== Code.NotFound) throw error;
    }
  }
}

// The program takes some seconds to start on a busy machine.
describe("a service with a database", { timeout: 60_000 }, () => {
  it("shows each call on both listeners soon after its end, and has all of them in the database when it has ended", async () => {
    const folder = testFolder();
    const path = join(folder, "data", "ledger.db");
    const outbox = join(folder, "outbox");
    await using service = await startConfigured(`store: { database: "sqlite:${path}", outbox: ${outbox} }`);
    const { grpc, connect } = transportsOf(service);
    const chat = scriptEcho({ text: "hello there" });
    const { completion } = await createClient(ChatService, grpc).completeChat({
      chat: { ...chat, labels: { a: "b" } },
    });
    const id = completion?.id ?? "";
    const recorded = await untilRecorded(() => createClient(UsageService, grpc).getCall({ id }));
    expect(recorded).toMatchObject({ id, outcome: CallOutcome.OK, model: "echo/echo", labels: { a: "b" } });
    const usage = createClient(UsageService, connect);
    expect((await usage.listCalls({ requestId: id })).calls).toEqual([recorded]);
    const range = { startTime: timestampFromMs(Date.now() - 3_600_000), groupBy: [UsageGroup.MODEL] };
    expect((await usage.queryUsage(range)).rows).toMatchObject([{ groups: ["echo/echo"], calls: 1n, failedCalls: 0n }]);

    // Calls whose records the shutdown ships.
    const last = await Promise.all(
      Array.from({ length: 20 }, () => createClient(ChatService, grpc).completeChat({ chat })),
    );
    service.child.kill("SIGTERM");
    expect(await service.exited).toEqual([0, null]);
    expect(readdirSync(outbox)).toEqual([]);
    const records = await readRecords(connectDatabase({ kind: "sqlite", path }));
    expect([...records.keys()].sort()).toEqual([id, ...last.map((response) => response.completion?.id ?? "")].sort());
  });

  it("that is away starts, answers calls, says when to ask again, and keeps its records for the next one", async () => {
    const folder = testFolder();
    const outbox = join(folder, "outbox");
    const yaml = `store: { database: "postgres://user:secret@127.0.0.1:9/ledger", outbox: ${outbox} }`;
    await using service = await startConfigured(yaml);
    const { grpc, connect } = transportsOf(service);
    const { completion } = await createClient(ChatService, grpc).completeChat({ chat: scriptEcho({ text: "hello" }) });
    expect(completion?.choices).toHaveLength(1);
    const error = await createClient(UsageService, connect)
      .listCalls({})
      .then(
        () => undefined,
        (thrown: unknown) => ConnectError.from(thrown),
      );
    expect(error?.code).toBe(Code.Unavailable);
    expect(error?.findDetails(ErrorInfoSchema)[0]?.reason).toBe("STORE_UNAVAILABLE");
    expect(error?.findDetails(RetryInfoSchema)).toHaveLength(1);
    service.child.kill("SIGTERM");
    expect(await service.exited).toEqual([0, null]);
    const [instance = ""] = readdirSync(outbox);
    expect(readdirSync(join(outbox, instance)).length).toBeGreaterThan(0);
    const lines = service.log.filter(({ msg }) => String(msg).startsWith("some call records wait"));
    expect(lines).toMatchObject([{ level: "warn", outbox }]);
    expect(JSON.stringify(service.log)).not.toContain("secret");
  });
});
