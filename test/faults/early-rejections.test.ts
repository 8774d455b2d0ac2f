import { once } from "node:events";
import { type ClientHttp2Session, connect as connectHttp2 } from "node:http2";
import { connect, type Socket } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startConfigured } from "../support/configured-process.ts";
import type { ServiceProcess } from "../support/process.ts";

let service: ServiceProcess;
let full: ServiceProcess;
beforeAll(async () => {
  [service, full] = await Promise.all([
    startConfigured("limits: { max_bytes_in_flight: 1MiB }"),
    startConfigured("limits: { max_streams_per_address: 1 }"),
  ]);
});
afterAll(() => Promise.all([service[Symbol.asyncDispose](), full[Symbol.asyncDispose]()]));

const bodyBytes = 4 * 2 ** 20;

async function openSocket({ httpAddress }: ServiceProcess): Promise<Socket> {
  const [host, port] = httpAddress.split(":");
  const socket = connect({ host, port: Number(port), allowHalfOpen: true });
  await once(socket, "connect");
  // The connection may break after what a test looks at.
  socket.on("error", () => {});
  return socket;
}

/** Sends the head and the first bytes of an upload, waits for the response, and then sends the rest. */
async function upload(target: ServiceProcess, head: readonly string[]) {
  const socket = await openSocket(target);
  let answer = "";
  socket.setEncoding("latin1").on("data", (text: string) => {
    answer += text;
  });
  const broken: string[] = [];
  socket.on("error", ({ message }) => broken.push(message));
  const closed = new Promise((resolve) => socket.once("close", resolve));
  socket.write([...head, "Content-Type: application/json", `Content-Length: ${bodyBytes}`, "", " "].join("\r\n"));
  await once(socket, "data");
  const piece = Buffer.alloc(2 ** 16, " ");
  for (let sent = 1; sent < bodyBytes && !socket.destroyed; sent += piece.length) {
    const isAccepted = socket.write(piece.subarray(0, bodyBytes - sent));
    if (!isAccepted) await Promise.race([new Promise((resolve) => socket.once("drain", resolve)), closed]);
  }
  if (!socket.destroyed) socket.end();
  await closed;
  return { status: answer.slice(9, 12), broken };
}

/** Sends an upload on a new stream. Resolves to the HTTP status and the gRPC status, which an error may replace. */
async function uploadOver(session: ClientHttp2Session, headers: Record<string, string>, bytes: number) {
  const stream = session.request({ ":method": "POST", "content-type": "application/grpc", te: "trailers", ...headers });
  let answer: unknown;
  stream.on("response", ({ ":status": status, "grpc-status": code }) => {
    answer = code === undefined ? Number(status) : `gRPC ${code}`;
  });
  stream.on("error", ({ message }) => {
    answer = message;
  });
  stream.resume();
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(bytes, 1);
  stream.write(prefix);
  stream.end(Buffer.alloc(bytes));
  await once(stream, "close");
  return answer;
}

describe("an upload that is rejected before its end", () => {
  it.each([
    ["a Host that is not allowed", "403", ["POST /v1/chat/completions HTTP/1.1", "Host: evil.example"]],
    ["a malformed Host", "400", ["POST /v1/chat/completions HTTP/1.1", "Host: a b"]],
    ["an unknown path on a connection that is to be closed", "404", ["POST /nothing HTTP/1.0", "Host: localhost"]],
    [
      "a page that is asked for with POST on a connection that is to be closed",
      "405",
      ["POST /healthz HTTP/1.1", "Host: localhost", "Connection: close"],
    ],
    [
      "an encoding that is not supported on a connection that is to be closed",
      "415",
      ["POST /v1/chat/completions HTTP/1.1", "Host: localhost", "Connection: close", "Content-Encoding: zstd"],
    ],
    [
      "a Connect method that does not exist on a connection that is to be closed",
      "404",
      ["POST /dragoman.v1.ChatService/Nothing HTTP/1.1", "Host: localhost", "Connection: close"],
    ],
  ])("does not break the connection of a client that is still sending: %s", async (_name, status, head) => {
    expect(await upload(service, head)).toEqual({ status, broken: [] });
  });

  it("does not break the connection of a client that is still sending: the bound on requests", async () => {
    const other = await openSocket(full);
    const silent = ["POST /v1/chat/completions HTTP/1.1", "Host: localhost", "Expect: 100-continue"];
    other.write([...silent, "Content-Type: application/json", "Content-Length: 9", "", ""].join("\r\n"));
    // 100 Continue: the request has begun.
    await once(other, "data");
    const stream = ["POST /v1/chat/completions HTTP/1.1", "Host: localhost"];
    const rejected = await upload(full, stream);
    other.destroy();
    expect(rejected).toEqual({ status: "503", broken: [] });
  });

  it.each([
    ["an unknown method", { ":path": "/a.B/C" }, "gRPC 12"],
    ["a content type that is not gRPC", { ":path": "/a.B/C", "content-type": "text/plain" }, 415],
    ["too many bytes in flight", { ":path": "/dragoman.v1.ChatService/CompleteChat" }, "gRPC 14"],
  ])("does not break the gRPC connection of a Node.js client: %s", async (_name, headers, expected) => {
    const session = connectHttp2(`http://${service.grpcAddress}`);
    const answers: unknown[] = [];
    // The client would keep 24 MB of unsent bytes, more than its maximum of 10 MB.
    for (let count = 0; count < 8; count++) answers.push(await uploadOver(session, headers, 3_000_000));
    session.destroy();
    expect([...new Set(answers)]).toEqual([expected]);
  });
});
