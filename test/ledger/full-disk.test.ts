import { spawnSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { composeService } from "../../src/compose.ts";
import { loadConfig } from "../../src/config/load.ts";
import { CallOutcome } from "../../src/gen/dragoman/admin/v1/call_record_pb.js";
import { ChatService } from "../../src/gen/dragoman/v1/chat_service_pb.js";
import { ModelService } from "../../src/gen/dragoman/v1/model_service_pb.js";
import { ErrorInfoSchema, RetryInfoSchema } from "../../src/gen/google/rpc/error_details_pb.js";
import { listedModels, providers } from "../../src/providers/registry.ts";
import { startConfigured } from "../support/configured-process.ts";
import { connectDatabase } from "../support/databases.ts";
import { readRecords } from "../support/ledger-records.ts";
import { scriptEcho } from "../support/requests.ts";
import { withFile } from "../support/service.ts";
import { createTextLog } from "../support/text-log.ts";
import { MemorySink, openShipper, temporaryFolder } from "./outbox/harness.ts";

/** Mounts a file system of 256 KiB. Undefined: this process may not mount. */
function mountSmall(): string | undefined {
  const folder = temporaryFolder();
  if (spawnSync("mount", ["-t", "tmpfs", "-o", "size=256k", "tmpfs", folder]).status !== 0) return undefined;
  onTestFinished(() => void spawnSync("umount", ["--lazy", folder]));
  return folder;
}

async function startAt(outbox: string, onFull: string) {
  const path = join(temporaryFolder(), "dragoman.db");
  const yaml = `{ store: { outbox: ${outbox}, database: "sqlite:${path}", on_full: ${onFull} } }`;
  const environment = { DRAGOMAN_GRPC_ADDRESS: "127.0.0.1:0", DRAGOMAN_HTTP_ADDRESS: "127.0.0.1:0" };
  const known = providers.filter(({ name }) => name === "echo");
  const config = withFile(yaml, (file) =>
    loadConfig({ environment, file, providers: known, models: listedModels({}) }),
  );
  const log = createTextLog();
  const service = await composeService(config, log.log);
  onTestFinished(() => service.stop());
  const transport = createGrpcTransport({ baseUrl: `http://${service.grpcAddress}` });
  return {
    service,
    log,
    chats: createClient(ChatService, transport),
    models: createClient(ModelService, transport),
    /** Stops the service, which ships its records. Returns the outcomes in the database. */
    async ship() {
      await service.stop();
      const records = await readRecords(connectDatabase({ kind: "sqlite", path }));
      return [...records.values()].map(({ outcome }) => CallOutcome[outcome]);
    },
  };
}

describe("a file system without room (needs the right to mount; skipped otherwise)", () => {
  it("rejects new calls with on_full refuse until there is room, and loses no record", async ({ skip }) => {
    const place = mountSmall() ?? skip("mount is not allowed");
    const filler = join(place, "filler");
    const { ship, log, chats, models } = await startAt(join(place, "outbox"), "refuse");
    const complete = () => chats.completeChat({ chat: scriptEcho({ text: "hello" }) });
    await complete();
    spawnSync("dd", ["if=/dev/zero", `of=${filler}`, "bs=4k"]);
    // The last page of the segment has room for a few records.
    let succeeded = 1;
    let thrown: unknown;
    while (thrown === undefined)
      await complete().then(
        () => succeeded++,
        (error) => (thrown = error),
      );
    const error = ConnectError.from(thrown);
    expect(error.code).toBe(Code.Unavailable);
    expect(error.findDetails(ErrorInfoSchema)).toMatchObject([{ reason: "OVERLOADED", metadata: { bound: "outbox" } }]);
    expect(error.findDetails(RetryInfoSchema)).toMatchObject([{ retryDelay: { seconds: 1n } }]);
    // It can cost nothing.
    await models.listModels({});
    expect(log.text).toMatch(/"reason":"ENOSPC","msg":"call records cannot be written to the outbox: Dragoman rejects/);
    rmSync(filler);
    await vi.waitUntil(
      () =>
        complete().then(
          () => ++succeeded,
          () => false,
        ),
      { timeout: 10_000, interval: 50 },
    );
    // The call that found no room had succeeded.
    expect(await ship()).toEqual(Array.from({ length: succeeded }, () => "OK"));
  });

  it("goes on with on_full drop, and drops with a count what it cannot write", async ({ skip }) => {
    const place = mountSmall() ?? skip("mount is not allowed");
    const { ship, log, chats } = await startAt(join(place, "outbox"), "drop");
    spawnSync("dd", ["if=/dev/zero", `of=${join(place, "filler")}`, "bs=4k"]);
    for (let call = 0; call < 50; call++) await chats.completeChat({ chat: scriptEcho({ text: "hello" }) });
    const shipped = await ship();
    const counts = [...log.text.matchAll(/"count":(\d+),"reason":"ENOSPC","msg":"call records were dropped/g)];
    const dropped = counts.reduce((sum, [, count]) => sum + Number(count), 0);
    expect([shipped.length + dropped, dropped > 0]).toEqual([50, true]);
  });
});

describe("a service whose outbox cannot be used", () => {
  it("does not start if the file has the section store, and says why", async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, "outbox"), "a file");
    await using service = await startConfigured(`store: { outbox: ${folder}/outbox }`);
    expect((await service.exited)[0]).toBe(1);
    expect(service.lines.join("\n")).toContain(
      "store.outbox: cannot be written: a folder in its path is a file (ENOTDIR); give a folder that Dragoman can",
    );
  });

  it("records calls in the log only, with one warning, if the file has none", async () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, "data"));
    writeFileSync(join(folder, "data", "outbox"), "a file");
    const environment = { DRAGOMAN_GRPC_ADDRESS: "127.0.0.1:0", DRAGOMAN_HTTP_ADDRESS: "127.0.0.1:0" };
    const known = providers.filter(({ name }) => name === "echo");
    const config = loadConfig({ environment, providers: known, models: listedModels({}) });
    const kept = createTextLog();
    const store = { ...config.store, outbox: join(folder, "data", "outbox") };
    const service = await composeService({ ...config, store }, kept.log);
    const chats = createClient(ChatService, createGrpcTransport({ baseUrl: `http://${service.grpcAddress}` }));
    await chats.completeChat({ chat: scriptEcho({ text: "hello" }) });
    await service.stop();
    const lines = kept.text
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(lines).toMatchObject([
      {
        level: "warn",
        msg: "calls are recorded in the log only; set store.outbox to a folder that Dragoman can write",
      },
      { msg: "call", outcome: "ok" },
    ]);
  });
});

describe("a process that must exit at once", () => {
  it("writes the record of each running call before it does", async () => {
    const outbox = join(temporaryFolder(), "outbox");
    const path = join(outbox, "..", "dragoman.db");
    await using service = await startConfigured(`store: { outbox: ${outbox}, database: "sqlite:${path}" }`);
    const chats = createClient(ChatService, createGrpcTransport({ baseUrl: `http://${service.grpcAddress}` }));
    const read = async () => {
      for await (const { event } of chats.streamChat({ chat: scriptEcho({ text: "a b", stall: { after: 1 } }) })) {
        if (event.case !== "started") continue;
        service.child.kill("SIGTERM");
        await service.logged("stopping");
        service.child.kill("SIGTERM");
      }
    };
    await read().catch(() => undefined);
    expect((await service.exited)[0]).toBe(1);
    const sink = new MemorySink();
    const shipper = openShipper(outbox, [sink], { name: `sqlite:${path}` });
    shipper.adopt();
    await shipper.shipAll();
    expect(Object.values(sink.outcomes)).toEqual(["FAILED"]);
  });
});
