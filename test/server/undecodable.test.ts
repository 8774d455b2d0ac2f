import { fromBinary } from "@bufbuild/protobuf";
import { anyUnpack } from "@bufbuild/protobuf/wkt";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ErrorInfo, ErrorInfoSchema } from "../../src/gen/google/rpc/error_details_pb.js";
import { StatusSchema } from "../../src/gen/google/rpc/status_pb.js";
import { startTestService, type TestService } from "../support/service.ts";

let service: TestService;
beforeAll(async () => {
  service = await startTestService();
});
afterAll(() => service.stop());

/** Bodies that are not valid requests. */
const bodies = [
  "{",
  '{"chat": {"modle": 1}}',
  '{"chat": {"model": 5}}',
  '{"chat": {"messages": [{"role": "ROLE_CHEF"}]}}',
];

function framed(text: string): Buffer {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(Buffer.byteLength(text), 1);
  return Buffer.concat([prefix, Buffer.from(text)]);
}

async function post(method: string, contentType: string, body: string | Buffer): Promise<Buffer> {
  const response = await fetch(`http://${service.httpAddress}/dragoman.v1.ChatService/${method}`, {
    method: "POST",
    headers: { "content-type": contentType },
    body: typeof body === "string" ? body : new Uint8Array(body),
  });
  return Buffer.from(await response.arrayBuffer());
}

interface ConnectFailure {
  readonly code: string;
  readonly details: readonly { readonly type: string; readonly value: string }[];
}

function infoOf({ details }: ConnectFailure): ErrorInfo | undefined {
  const detail = details.find(({ type }) => type === "google.rpc.ErrorInfo");
  return detail && fromBinary(ErrorInfoSchema, Buffer.from(detail.value, "base64"));
}

describe.each(bodies)("an invalid JSON body (%s)", (body) => {
  const expected = { reason: "INVALID_REQUEST", domain: "dragoman" };

  it("returns ErrorInfo in a unary Connect response", async () => {
    const failure: ConnectFailure = JSON.parse((await post("CompleteChat", "application/json", body)).toString());
    expect(failure.code).toBe("invalid_argument");
    expect(infoOf(failure)).toMatchObject(expected);
  });

  it("returns ErrorInfo at the end of a Connect stream", async () => {
    const answer = await post("StreamChat", "application/connect+json", framed(body));
    expect(answer.readUInt32BE(1)).toBe(answer.length - 5);
    expect(infoOf(JSON.parse(answer.subarray(5).toString()).error)).toMatchObject(expected);
  });

  it("returns ErrorInfo in gRPC-Web trailers", async () => {
    const answer = await post("StreamChat", "application/grpc-web+json", framed(body));
    expect(answer.readUInt32BE(1)).toBe(answer.length - 5);
    const value = /grpc-status-details-bin: (.*)\r\n/.exec(answer.toString())?.[1] ?? "";
    const status = fromBinary(StatusSchema, Buffer.from(value, "base64"));
    const [detail] = status.details;
    expect(detail && anyUnpack(detail, ErrorInfoSchema)).toMatchObject(expected);
    expect(status.message).not.toBe("");
  });
});
