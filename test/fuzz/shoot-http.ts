import { type IncomingMessage, request } from "node:http";
import { messagesProblem, readEnvelopes } from "./messages.ts";
import { callIds, inTime } from "./outcome.ts";
import type { Outcome } from "./shoot.ts";
import { type RequestShot, toBuffer } from "./shot.ts";

/** Sends an HTTP request on a connection of its own, and checks that it gets exactly one response. */
export function shootHttp(address: string, { path, headers, body }: RequestShot): Promise<Outcome> {
  const bytes = toBuffer(body);
  const client = request(`http://${address}`, {
    path,
    method: "POST",
    agent: false,
    headers: { ...headers, "content-length": bytes.length, connection: "close" },
  });
  const run = new Promise<Outcome>((resolve) => {
    let received: IncomingMessage | undefined;
    const chunks: Buffer[] = [];
    let failure: Error | undefined;
    const fail = (error: Error): void => {
      failure = error;
    };
    client.on("error", fail).on("response", (response) => {
      received = response;
      response.on("error", fail).on("data", (chunk: Buffer) => chunks.push(chunk));
    });
    client.once("close", () => {
      const ids = callIds(received?.headers["x-request-id"]);
      resolve({ ids, problem: check(path, received, Buffer.concat(chunks), failure) });
    });
    client.end(bytes);
  });
  return inTime(run, () => client.destroy());
}

function check(path: string, response: IncomingMessage | undefined, body: Buffer, failure?: Error): string | undefined {
  if (response === undefined || failure !== undefined) return `no response: ${failure?.message}`;
  if (!response.complete) return "the response is incomplete";
  const [type = ""] = response.headers["content-type"]?.split(";", 1) ?? [];
  if (/^application\/(connect|grpc-web)\+/.test(type)) return checkEnvelopes(path, type, body);
  // Connect may use the encoding of the request.
  if (response.headers["content-encoding"] !== undefined) return undefined;
  const text = body.toString();
  if (type === "application/json")
    return isJson(text) ? undefined : `a JSON response is not JSON: ${text.slice(0, 200)}`;
  if (type === "text/event-stream") return text.endsWith("\n\n") ? undefined : "the last event is incomplete";
  return undefined;
}

const endFlags: Readonly<Record<string, number>> = { connect: 2, "grpc-web": 128 };

/** Checks that the response has exactly one end-of-stream message, which is the last. */
function checkEnvelopes(path: string, type: string, body: Buffer): string | undefined {
  const endFlag = endFlags[type.startsWith("application/connect") ? "connect" : "grpc-web"] ?? 0;
  const envelopes = readEnvelopes(body);
  if (envelopes === undefined) return "the last message is incomplete";
  const ends = envelopes.filter(({ flags }) => (flags & endFlag) !== 0);
  const [end] = ends;
  if (end === undefined || ends.length > 1 || envelopes.at(-1) !== end) return `${ends.length} ends of the stream`;
  if (/json/.test(type) || envelopes.some(({ flags }) => (flags & 1) !== 0)) return undefined;
  const text = end.message.toString();
  const ok = endFlag === 128 ? /^grpc-status: *0\r$/m.test(text) : !("error" in JSON.parse(text));
  return messagesProblem(
    path,
    envelopes.slice(0, -1).map(({ message }) => message),
    ok,
  );
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
