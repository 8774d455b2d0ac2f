// The server that connectconformance starts. It reads one ServerCompatRequest from standard input, opens Dragoman's
// listeners with the conformance service, and writes one ServerCompatResponse to standard output.
import { create, fromBinary, type Message, toBinary } from "@bufbuild/protobuf";
import { loadConfig } from "../../src/config/load.ts";
import { Rejections } from "../../src/load/rejections.ts";
import { startService } from "../../src/server/service.ts";
import { loadSchemas, type ServerCompatRequest } from "./schema.ts";
import { createConformanceService } from "./service.ts";

/** Value of the enum `Protocol`. */
const grpc = 2;

const { message } = loadSchemas();
const request = fromBinary(message("ServerCompatRequest"), await readMessage()) as Message as ServerCompatRequest &
  Message;
const { messageReceiveLimit, useTls, serverCreds } = request;
const tls =
  useTls && serverCreds
    ? {
        certificate: Buffer.from(serverCreds.cert),
        key: Buffer.from(serverCreds.key),
        clientAuthority: undefined,
      }
    : undefined;
const config = loadConfig({
  environment: { DRAGOMAN_GRPC_ADDRESS: "127.0.0.1:0", DRAGOMAN_HTTP_ADDRESS: "127.0.0.1:0" },
  providers: [],
  models: [],
  file: undefined,
});
const service = await startService({
  config: {
    ...config,
    grpc: { ...config.grpc, tls },
    http: { ...config.http, tls },
    limits: { ...config.limits, maxRequestBytes: messageReceiveLimit || config.limits.maxRequestBytes },
  },
  adapters: [],
  models: [],
  observers: [],
  rejections: new Rejections(() => {}),
  furtherServices: [createConformanceService()],
});
const { hostname: host, port } = new URL(
  `http://${request.protocol === grpc ? service.grpcAddress : service.httpAddress}`,
);
const schema = message("ServerCompatResponse");
const pemCert = serverCreds?.cert ?? new Uint8Array();
writeMessage(toBinary(schema, create(schema, { host, port: Number(port), pemCert })));

/** Reads a message with a prefix of 4 bytes: its length. */
async function readMessage(): Promise<Uint8Array> {
  let bytes = Buffer.alloc(0);
  for await (const chunk of process.stdin) {
    bytes = Buffer.concat([bytes, chunk]);
    if (bytes.length >= 4 && bytes.length >= 4 + bytes.readUInt32BE()) break;
  }
  return bytes.subarray(4, 4 + bytes.readUInt32BE());
}

function writeMessage(bytes: Uint8Array): void {
  const prefix = Buffer.alloc(4);
  prefix.writeUInt32BE(bytes.length);
  process.stdout.write(Buffer.concat([prefix, bytes]));
}
