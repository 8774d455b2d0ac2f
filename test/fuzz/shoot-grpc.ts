import { connect, type IncomingHttpHeaders } from "node:http2";
import { messagesProblem, readEnvelopes } from "./messages.ts";
import { callIds, inTime } from "./outcome.ts";
import type { Outcome } from "./shoot.ts";
import { type RequestShot, toBuffer } from "./shot.ts";

/** Paths whose responses are Dragoman's own messages. */
const ownPath = /^\/dragoman\.v1\.(ChatService|ModelService)\/\w+$/;

/** Sends a gRPC request on a connection of its own, and checks that it gets exactly one status. */
export function shootGrpc(address: string, shot: RequestShot): Promise<Outcome> {
  const session = connect(`http://${address}`);
  session.on("error", () => {});
  return inTime(send(session, shot), () => session.destroy()).finally(() => session.destroy());
}

function send(session: ReturnType<typeof connect>, { path, headers, body }: RequestShot): Promise<Outcome> {
  return new Promise((resolve) => {
    const fields: IncomingHttpHeaders[] = [];
    const chunks: Buffer[] = [];
    let stream: ReturnType<typeof session.request>;
    try {
      const usual = { ":method": "POST", "content-type": "application/grpc", te: "trailers" };
      stream = session.request({ ...usual, ":path": path, ...headers });
    } catch {
      // Node's client does not send such headers; the HTTP/2 attack does.
      resolve({ ids: [], problem: undefined });
      return;
    }
    stream.on("error", () => {});
    stream.on("response", (received) => fields.push(received));
    stream.on("trailers", (received) => fields.push(received));
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    stream.once("close", () => {
      const ids = callIds(...fields.map((received) => received["x-request-id"]));
      resolve({ ids, problem: stream.rstCode === 0 ? check(path, fields, Buffer.concat(chunks)) : undefined });
    });
    stream.end(toBuffer(body));
  });
}

function check(path: string, fields: readonly IncomingHttpHeaders[], body: Buffer): string | undefined {
  const [first] = fields;
  // A request that is not gRPC.
  if (Number(first?.[":status"]) !== 200) return first === undefined ? "no response" : undefined;
  const statuses = fields.flatMap((received) => received["grpc-status"] ?? []);
  if (statuses.length !== 1) return `${statuses.length} statuses`;
  const envelopes = readEnvelopes(body);
  if (envelopes === undefined) return "the last message is incomplete";
  if (!ownPath.test(path) || envelopes.some(({ flags }) => flags !== 0)) return undefined;
  return messagesProblem(
    path,
    envelopes.map(({ message }) => message),
    statuses[0] === "0",
  );
}
