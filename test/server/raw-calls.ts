import { once } from "node:events";
import { connect, type IncomingHttpHeaders } from "node:http2";
import { fromBinary } from "@bufbuild/protobuf";
import { anyUnpack } from "@bufbuild/protobuf/wkt";
import { Code } from "@connectrpc/connect";
import { type ErrorInfo, ErrorInfoSchema } from "../../src/gen/google/rpc/error_details_pb.js";
import { StatusSchema } from "../../src/gen/google/rpc/status_pb.js";

/** Wire protocols. Each has its own message framing and error format. */
export const wires = ["grpc", "connect unary", "connect stream", "grpc-web"] as const;
export type Wire = (typeof wires)[number];

/** Encoded call. */
export interface RawCall {
  readonly path: string;
  readonly body: Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Status of a call. */
export interface Ending {
  readonly code: Code;
  readonly message: string;
  readonly info: ErrorInfo | undefined;
}

/** Header names of each wire protocol, and the protocol name in call records. */
export const wireFacts = {
  grpc: { contentType: "application/grpc", encoding: "grpc-encoding", timeout: "grpc-timeout", protocol: "grpc" },
  "connect unary": {
    contentType: "application/proto",
    encoding: "content-encoding",
    timeout: "connect-timeout-ms",
    protocol: "connect",
  },
  "connect stream": {
    contentType: "application/connect+proto",
    encoding: "connect-content-encoding",
    timeout: "connect-timeout-ms",
    protocol: "connect",
  },
  "grpc-web": {
    contentType: "application/grpc-web+proto",
    encoding: "grpc-encoding",
    timeout: "grpc-timeout",
    protocol: "grpc-web",
  },
} as const satisfies Record<Wire, object>;

/** Adds the length prefix of gRPC, gRPC-Web and Connect streams to a message. */
export function frame(message: Uint8Array, flags = 0): Buffer {
  const prefix = Buffer.alloc(5, flags);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

export function callRaw(
  wire: Wire,
  addresses: { readonly grpcAddress: string; readonly httpAddress: string },
  call: RawCall,
): Promise<Ending> {
  return wire === "grpc" ? callGrpc(addresses.grpcAddress, call) : callHttp(wire, addresses.httpAddress, call);
}

/** Opens a gRPC call and leaves its request open. */
export function openGrpc(address: string, { path, headers }: Omit<RawCall, "body">) {
  const session = connect(`http://${address}`).on("error", () => {}); // The stream emits the same error.
  const fields = {
    ":method": "POST",
    ":path": path,
    "content-type": wireFacts.grpc.contentType,
    te: "trailers",
    ...headers,
  };
  // Node.js would end a GET at once.
  const stream = session.request(fields, { endStream: false });
  return { session, stream: stream.on("error", () => {}) };
}

/** Reads a gRPC call to its end and returns its status. */
export async function endingOfGrpc({ session, stream }: ReturnType<typeof openGrpc>): Promise<Ending> {
  let fields: IncomingHttpHeaders = {};
  const take = (received: IncomingHttpHeaders): void => {
    if (received["grpc-status"] !== undefined) fields = received;
  };
  stream.on("response", take).on("trailers", take).resume();
  await once(stream, "end");
  session.destroy();
  return endingOfFields((name) => fields[name]?.toString());
}

function callGrpc(address: string, call: RawCall): Promise<Ending> {
  const opened = openGrpc(address, call);
  opened.stream.end(call.body);
  return endingOfGrpc(opened);
}

async function callHttp(wire: Exclude<Wire, "grpc">, address: string, call: RawCall): Promise<Ending> {
  const response = await fetch(`http://${address}${call.path}`, {
    method: "POST",
    headers: { "content-type": wireFacts[wire].contentType, ...call.headers },
    body: new Uint8Array(call.body),
  });
  const bytes = Buffer.from(await response.arrayBuffer());
  if (wire === "connect unary") return endingOfJson(JSON.parse(bytes.toString()));
  const last = bytes.subarray(5);
  // The response must consist of the end-of-stream frame only.
  if (bytes.readUInt32BE(1) !== last.length) throw new Error("the response has more than the end-of-stream frame");
  if (wire === "connect stream") return endingOfJson(JSON.parse(last.toString()).error);
  const fields = new Map(
    last
      .toString()
      .trim()
      .split("\r\n")
      .map((line) => {
        const colon = line.indexOf(":");
        return [line.slice(0, colon), line.slice(colon + 1).trim()] as const;
      }),
  );
  return endingOfFields((name) => fields.get(name));
}

function endingOfFields(get: (name: string) => string | undefined): Ending {
  const details = get("grpc-status-details-bin");
  const status = details === undefined ? undefined : fromBinary(StatusSchema, Buffer.from(details, "base64"));
  const code: Code = Number(get("grpc-status") ?? Number.NaN);
  if (status !== undefined && status.code !== code)
    throw new Error(`grpc-status is ${code}, but grpc-status-details-bin has ${status.code}`);
  const [detail] = status?.details ?? [];
  return {
    code,
    message: decodeURIComponent(get("grpc-message") ?? ""),
    info: detail && anyUnpack(detail, ErrorInfoSchema),
  };
}

interface ConnectFailure {
  readonly code: string;
  readonly message: string;
  readonly details?: readonly { readonly type: string; readonly value: string }[];
}

function endingOfJson({ code, message, details = [] }: ConnectFailure): Ending {
  const detail = details.find(({ type }) => type === ErrorInfoSchema.typeName);
  const name = code.replace(/(?:^|_)([a-z])/g, (_, letter: string) => letter.toUpperCase());
  return {
    code: Code[name as keyof typeof Code],
    message,
    info: detail && fromBinary(ErrorInfoSchema, Buffer.from(detail.value, "base64")),
  };
}
