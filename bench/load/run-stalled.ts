import { once } from "node:events";
import { connect, constants } from "node:http2";
import { setTimeout } from "node:timers/promises";
import { streamRequest } from "./grpc-caller.ts";
import type { StalledJob, StalledResult } from "./jobs.ts";

const requestHeaders = {
  ":method": "POST",
  ":path": "/dragoman.v1.ChatService/StreamChat",
  "content-type": "application/grpc",
  te: "trailers",
};

/** Opens the streams with plain HTTP/2: a paused grpc-js client would keep reading and buffer the messages. */
export async function runStalled({ port, headers, streams, durationMs }: StalledJob): Promise<StalledResult> {
  const session = connect(`http://127.0.0.1:${port}`);
  await once(session, "connect");
  const request = streamRequest("bench-flood", true);
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(request.length, 1);
  let ended = 0;
  const calls = Array.from({ length: streams }, () => {
    const call = session.request({ ...requestHeaders, ...headers });
    call.pause();
    call.on("trailers", () => ended++);
    call.on("error", () => {});
    call.end(Buffer.concat([prefix, request]));
    return call;
  });
  await setTimeout(durationMs);
  const result = ended;
  for (const call of calls) call.close(constants.NGHTTP2_CANCEL);
  session.close();
  await once(session, "close");
  return result;
}
