import { once } from "node:events";
import { type ClientHttp2Session, type ClientHttp2Stream, connect } from "node:http2";
import { connect as connectTcp } from "node:net";
import { gzipSync } from "node:zlib";
import { create, toBinary } from "@bufbuild/protobuf";
import { expect, it } from "vitest";
import { CompleteChatRequestSchema } from "../../src/gen/dragoman/v1/chat_service_pb.js";
import { startProcess } from "../support/process.ts";
import { ask } from "../support/requests.ts";

/** Opens an HTTP/2 connection from a loopback address. */
function openSession(grpcAddress: string, localAddress: string): ClientHttp2Session {
  const [host, port] = grpcAddress.split(":");
  return connect(`http://${grpcAddress}`, {
    createConnection: () => connectTcp({ host, port: Number(port), localAddress }),
  });
}

function send(session: ClientHttp2Session, message: Uint8Array): ClientHttp2Stream {
  const compressed = gzipSync(message);
  const prefix = Buffer.from([1, 0, 0, 0, 0]);
  prefix.writeUInt32BE(compressed.length, 1);
  const path = "/dragoman.v1.ChatService/CompleteChat";
  const headers = { "content-type": "application/grpc", "grpc-encoding": "gzip", te: "trailers" };
  const stream = session.request({ ":method": "POST", ":path": path, ...headers });
  stream.on("error", () => {});
  stream.resume().end(Buffer.concat([prefix, compressed]));
  return stream;
}

it("serves a compressed request before most of another client's, which were sent first and are large", async () => {
  await using service = await startProcess();
  const greedy = openSession(service.grpcAddress, "127.0.0.2");
  const honest = openSession(service.grpcAddress, "127.0.0.1");
  const large = Buffer.alloc(16 * 2 ** 20 - 1);
  let answered = 0;
  const streams = Array.from({ length: 64 }, () => send(greedy, large));
  for (const stream of streams) stream.once("close", () => answered++);
  await once(streams[0] as ClientHttp2Stream, "close");
  const chat = ask("echo/echo", "hi");
  const stream = send(honest, toBinary(CompleteChatRequestSchema, create(CompleteChatRequestSchema, { chat })));
  const [trailers] = await once(stream, "trailers");
  expect(trailers).toMatchObject({ "grpc-status": "0" });
  expect(answered).toBeLessThan(streams.length / 2);
  greedy.destroy();
  honest.destroy();
});
