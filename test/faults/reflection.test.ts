import { hash } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { type ClientHttp2Session, type ClientHttp2Stream, connect, type IncomingHttpHeaders } from "node:http2";
import { gzipSync } from "node:zlib";
import { create, toBinary } from "@bufbuild/protobuf";
import { Code, type ConnectError, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ModelService } from "../../src/gen/dragoman/v1/model_service_pb.js";
import { ServerReflection, ServerReflectionRequestSchema } from "../../src/gen/grpc/reflection/v1/reflection_pb.js";
import { frame } from "../server/raw-calls.ts";
import { startConfigured } from "../support/configured-process.ts";
import { type ServiceProcess, startProcess } from "../support/process.ts";

const path = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";
const symbol = (value: string) =>
  toBinary(
    ServerReflectionRequestSchema,
    create(ServerReflectionRequestSchema, { messageRequest: { case: "fileContainingSymbol", value } }),
  );
/** A request of 30 bytes, whose answer has about 340 KiB. */
const request = frame(symbol("dragoman.v1.ChatService"));

const mebibyte = 2 ** 20;

/** Memory of the process in bytes that is not in files (Linux). */
function residentBytes({ child }: ServiceProcess): number {
  const [, kibibytes] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${child.pid}/status`, "utf8")) ?? [];
  return Number(kibibytes) * 1024;
}

function openSession({ grpcAddress }: ServiceProcess): ClientHttp2Session & Disposable {
  const session = connect(`http://${grpcAddress}`);
  session.on("error", () => {});
  return Object.assign(session, { [Symbol.dispose]: () => session.destroy() });
}

/** Opens a reflection stream that is not read until the test does so. */
function open(session: ClientHttp2Session, headers: Readonly<Record<string, string>> = {}): ClientHttp2Stream {
  const fields = { ":method": "POST", ":path": path, "content-type": "application/grpc+proto", te: "trailers" };
  const stream = session.request({ ...fields, ...headers });
  stream.on("error", () => {});
  return stream.pause();
}

/** Calls a method on another connection, several times in a row. */
async function callOthers({ grpcAddress }: ServiceProcess): Promise<void> {
  const client = createClient(ModelService, createGrpcTransport({ baseUrl: `http://${grpcAddress}` }));
  for (let call = 0; call < 20; call++) await client.listModels({});
}

describe("answers that are not read", () => {
  let service: ServiceProcess;
  beforeAll(async () => {
    service = await startProcess();
    await callOthers(service);
  });
  afterAll(() => service[Symbol.asyncDispose]());

  it("holds no copy of the answers for requests on one stream", async () => {
    const before = residentBytes(service);
    using session = openSession(service);
    const stream = open(session);
    stream.write(Buffer.concat(Array<Buffer>(2200).fill(request)));
    await once(stream, "response");
    await callOthers(service);
    expect(residentBytes(service) - before).toBeLessThan(150 * mebibyte);
  });

  it("holds no copy of the answers for requests on many streams of one connection", async () => {
    const before = residentBytes(service);
    using session = openSession(service);
    const streams = Array.from({ length: 2200 }, () => open(session).end(request));
    await Promise.all(streams.map((stream) => once(stream, "response")));
    await callOthers(service);
    expect(residentBytes(service) - before).toBeLessThan(150 * mebibyte);
  });

  it("stops reading requests while the client does not read the answers", async () => {
    using session = openSession(service);
    const stream = open(session);
    let isSent = false;
    stream.write(Buffer.concat(Array<Buffer>(20_000).fill(request)), () => {
      isSent = true;
    });
    await once(stream, "response");
    await callOthers(service);
    expect(isSent).toBe(false);
  });

  it("answers every request once the client reads", async () => {
    using session = openSession(service);
    const stream = open(session);
    let ending: IncomingHttpHeaders = {};
    stream.once("trailers", (trailers) => {
      ending = trailers;
    });
    stream.end(Buffer.concat(Array<Buffer>(50).fill(request)));
    await once(stream, "response");
    await callOthers(service);
    const bytes = Buffer.concat(await stream.toArray());
    let answers = 0;
    for (let at = 0; at < bytes.length; at += 5 + bytes.readUInt32BE(at + 1)) answers++;
    expect(answers).toBe(50);
    expect(ending["grpc-status"]).toBe("0");
  });

  it("resets a stream at its deadline, although its client does not read", async () => {
    using session = openSession(service);
    const stream = open(session, { "grpc-timeout": "200m" });
    stream.write(Buffer.concat(Array<Buffer>(50).fill(request)));
    await once(stream, "close");
    expect(stream.rstCode).not.toBe(0);
  });
});

describe("malformed reflection requests", () => {
  let service: ServiceProcess;
  beforeAll(async () => {
    service = await startProcess();
  });
  afterAll(() => service[Symbol.asyncDispose]());

  async function statusOf(bytes: Uint8Array, headers: Readonly<Record<string, string>> = {}): Promise<string> {
    using session = openSession(service);
    const stream = open(session, headers).resume();
    let fields: IncomingHttpHeaders = {};
    for (const event of ["response", "trailers"]) {
      stream.on(event, (received) => {
        fields = { ...fields, ...received };
      });
    }
    stream.end(bytes);
    await once(stream, "close");
    return `${fields["grpc-status"]} ${decodeURIComponent(String(fields["grpc-message"]))}`;
  }

  it.each([
    ["no request at all", Buffer.alloc(0), {}, /^0 /],
    ["bytes that are not the message", frame(Buffer.from([0xff])), {}, /^3 .*ServerReflectionRequest/],
    ["an incomplete message", request.subarray(0, 12), {}, /^3 /],
    ["a message above the maximum size", frame(symbol("x".repeat(5000))), {}, /^8 .*4096 bytes/],
    ["a message of 4 GiB", Buffer.from([0, 255, 255, 255, 255]), {}, /^8 /],
    ["a gzip message", frame(gzipSync(symbol("google.rpc.Status")), 1), { "grpc-encoding": "gzip" }, /^0 /],
    ["a gzip bomb", frame(gzipSync(Buffer.alloc(2 ** 20)), 1), { "grpc-encoding": "gzip" }, /^8 /],
    ["invalid gzip", frame(Buffer.from("text"), 1), { "grpc-encoding": "gzip" }, /^3 /],
    ["an unknown encoding", frame(symbol("x"), 1), { "grpc-encoding": "snappy" }, /^12 .*identity,deflate,gzip/],
    ["a compressed message without encoding", frame(symbol("x"), 1), {}, /^13 .*compressed flag/],
    ["reserved flags", frame(symbol("x"), 2), {}, /^13 .*reserved flags/],
    ["a malformed timeout", request, { "grpc-timeout": "soon" }, /^3 .*grpc-timeout/],
  ])("answers with a status: %s", async (_name, bytes, headers, expected) => {
    expect(await statusOf(bytes, headers)).toMatch(expected);
    expect(service.child.exitCode).toBeNull();
  });
});

describe("grpc.reflection", () => {
  function start(reflection: string): Promise<ServiceProcess> {
    const keys = `authentication: { keys: [{ id: one, sha256: ${hash("sha256", "secret")} }] }`;
    return startConfigured(`${keys}\ngrpc: { reflection: ${reflection} }\n`);
  }

  /** Lists the services over a client library. Returns their number, or the status code of the error. */
  async function list({ grpcAddress }: ServiceProcess, key?: string): Promise<number | string | undefined> {
    const client = createClient(ServerReflection, createGrpcTransport({ baseUrl: `http://${grpcAddress}` }));
    async function* requests() {
      yield create(ServerReflectionRequestSchema, { messageRequest: { case: "listServices", value: "" } });
    }
    const headers = key === undefined ? {} : { "x-api-key": key };
    try {
      for await (const { messageResponse } of client.serverReflectionInfo(requests(), { headers })) {
        if (messageResponse.case === "listServicesResponse") return messageResponse.value.service.length;
      }
    } catch (error) {
      return Code[(error as ConnectError).code];
    }
    return undefined;
  }

  it.each([
    ["on", 11, 11, 11],
    ["true", 11, 11, 11],
    ["authenticated", "Unauthenticated", "Unauthenticated", 11],
    ["off", "Unimplemented", "Unimplemented", "Unimplemented"],
    ["false", "Unimplemented", "Unimplemented", "Unimplemented"],
  ])("responds without a key, with a wrong key and with a key: %s", async (setting, none, wrong, right) => {
    await using service = await start(setting);
    expect([await list(service), await list(service, "guess"), await list(service, "secret")]).toEqual([
      none,
      wrong,
      right,
    ]);
  });

  it("records who was let in and who was not", async () => {
    await using service = await start("authenticated");
    await list(service);
    await list(service, "secret");
    service.child.kill("SIGTERM");
    await service.exited;
    expect(service.log.filter(({ msg }) => msg === "call")).toMatchObject([
      { method: "ServerReflectionInfo", reason: "CREDENTIALS_MISSING" },
      { method: "ServerReflectionInfo", key_id: "one" },
    ]);
  });
});
