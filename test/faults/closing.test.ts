import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport } from "@connectrpc/connect-node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ChatService } from "../../src/gen/dragoman/v1/chat_service_pb.js";
import { hasOpenssl, issueCertificate } from "../support/certificates.ts";
import { startProcess } from "../support/process.ts";
import { scriptEcho } from "../support/requests.ts";

/** Tries to open a TCP connection. Resolves to `open` or to the error's code. */
async function tryConnect(address: string): Promise<string> {
  const [host, port] = address.split(":");
  const socket = connect(Number(port), host);
  try {
    await once(socket, "connect");
    return "open";
  } catch (error) {
    return error instanceof Error && "code" in error ? String(error.code) : String(error);
  } finally {
    socket.destroy();
  }
}

/** Types and flags of HTTP/2 frames (RFC 9113, section 6). */
const types = { data: 0, headers: 1, settings: 4, goaway: 7 } as const;
const endStream = 1;
const endHeaders = 4;

function frame(type: number, flags: number, stream: number, payload: Uint8Array = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.set([type, flags], 3);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** Encodes a header field as a literal without indexing (RFC 7541, section 6.2.2). */
function literal([name, value]: readonly [string, string]): Buffer {
  return Buffer.concat([
    Buffer.from([0, name.length]),
    Buffer.from(name),
    Buffer.from([value.length]),
    Buffer.from(value),
  ]);
}

/** Frames of a health call for the whole server. */
function callOf(method: string, stream: number): Buffer {
  const fields = {
    ":method": "POST",
    ":scheme": "http",
    ":authority": "a",
    ":path": `/grpc.health.v1.Health/${method}`,
    te: "trailers",
    "content-type": "application/grpc",
  };
  const headers = frame(types.headers, endHeaders, stream, Buffer.concat(Object.entries(fields).map(literal)));
  return Buffer.concat([headers, frame(types.data, endStream, stream, Buffer.alloc(5))]);
}

/** Reads HTTP/2 frames: each one's type and payload. */
async function* readFrames(socket: Socket): AsyncGenerator<readonly [number, Buffer]> {
  let bytes = Buffer.alloc(0);
  for await (const chunk of socket) {
    bytes = Buffer.concat([bytes, chunk]);
    for (;;) {
      const end = 9 + (bytes.length < 9 ? Number.POSITIVE_INFINITY : bytes.readUIntBE(0, 3));
      if (bytes.length < end) break;
      yield [bytes[3] ?? 0, bytes.subarray(9, end)];
      bytes = bytes.subarray(end);
    }
  }
}

async function nextOf(frames: AsyncGenerator<readonly [number, Buffer]>, type: number): Promise<Buffer> {
  for (;;) {
    const { value, done } = await frames.next();
    if (done) throw new Error(`the connection closed before a frame of type ${type}`);
    if (value[0] === type) return value[1];
  }
}

describe("a service that was sent SIGTERM", () => {
  it("tells a gRPC client that a call on its way was not processed", async () => {
    await using service = await startProcess();
    const [host, port] = service.grpcAddress.split(":");
    const socket = connect(Number(port), host);
    const frames = readFrames(socket);
    socket.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    socket.write(frame(types.settings, 0, 0));
    socket.write(callOf("Check", 1));
    await nextOf(frames, types.data);
    service.child.kill("SIGTERM");
    expect((await nextOf(frames, types.goaway)).readUInt32BE(0)).toBe(1);
    // The client sends a call before it reads the GOAWAY. The connection ends in order, and is not reset.
    socket.write(callOf("Check", 3));
    const later: number[] = [];
    for await (const [type] of frames) later.push(type);
    expect(later).not.toContain(types.data);
    socket.destroy();
    expect(await service.exited).toEqual([0, null]);
  });

  it.each([
    "gRPC",
    "HTTP",
  ] as const)("takes no new connection while a stream over %s goes on to its end", async (kind) => {
    await using service = await startProcess();
    const address = kind === "gRPC" ? service.grpcAddress : service.httpAddress;
    const baseUrl = `http://${address}`;
    const transport =
      kind === "gRPC" ? createGrpcTransport({ baseUrl }) : createConnectTransport({ baseUrl, httpVersion: "1.1" });
    const chat = scriptEcho({ text: "word ", repeat: 20, first_delay_ms: 0, delay_ms: 50 });
    const events = createClient(ChatService, transport).streamChat({ chat })[Symbol.asyncIterator]();
    await events.next();
    service.child.kill("SIGTERM");
    await service.logLine(({ msg }) => msg === "stopping");
    expect(await tryConnect(service.grpcAddress)).toBe("ECONNREFUSED");
    expect(await tryConnect(service.httpAddress)).toBe("ECONNREFUSED");
    let last: string | undefined;
    for (let next = await events.next(); !next.done; next = await events.next()) last = next.value.event.case;
    expect(last).toBe("completed");
    expect(await service.exited).toEqual([0, null]);
    expect(service.log.filter(({ msg }) => msg === "call")).toMatchObject([{ outcome: "ok" }]);
  });
});

describe.skipIf(!hasOpenssl)("a service with gRPC over TLS (skipped if openssl is not installed)", () => {
  let folder: string;
  let certificate: Buffer;
  let file: string;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "dragoman-closing-"));
    ({ certificate } = issueCertificate(folder, "server"));
    file = join(folder, "dragoman.yaml");
    writeFileSync(file, "grpc: { tls: { certificate: server.crt, key: server.key } }\n");
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it.each([
    ["an idle connection", 1],
    ["a connection with a call in progress", 50],
  ])("ends in order after SIGTERM, with %s", async (_name, repeat) => {
    await using service = await startProcess({ DRAGOMAN_CONFIG: file });
    const baseUrl = `https://${service.grpcAddress}`;
    const chats = createClient(ChatService, createGrpcTransport({ baseUrl, nodeOptions: { ca: certificate } }));
    const events = chats
      .streamChat({ chat: scriptEcho({ text: "word ", repeat, delay_ms: 10 }) })
      [Symbol.asyncIterator]();
    await events.next();
    let last: string | undefined;
    const readRest = async (): Promise<void> => {
      for (let next = await events.next(); !next.done; next = await events.next()) last = next.value.event.case;
    };
    if (repeat === 1) await readRest();
    service.child.kill("SIGTERM");
    if (repeat > 1) await readRest();
    expect(last).toBe("completed");
    expect(await service.exited).toEqual([0, null]);
  });
});
