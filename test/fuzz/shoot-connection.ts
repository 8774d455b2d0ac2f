import { connect } from "node:net";
import { callIds, inTime } from "./outcome.ts";
import type { Outcome } from "./shoot.ts";
import { type ConnectionShot, writeOf } from "./shot.ts";

/** Silence after which a shot stops waiting for a response and closes its side of the connection. */
const silenceMs = 100;

/** Writes raw bytes to a listener, closes the client's side and reads until the server has closed its side. */
export function shootConnection(address: string, shot: ConnectionShot): Promise<Outcome> {
  const [host, port] = address.split(":");
  const socket = connect({ port: Number(port), host: host ?? "", allowHalfOpen: true });
  const chunks: Buffer[] = [];
  const ended = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  // The server may close the connection while bytes are under way to it.
  socket.on("error", () => {});
  let silence: NodeJS.Timeout | undefined;
  const wait = (): void => {
    clearTimeout(silence);
    silence = setTimeout(() => socket.end(), silenceMs);
  };
  socket.on("data", (chunk: Buffer) => {
    chunks.push(chunk);
    if (silence !== undefined) wait();
  });
  const run = async (): Promise<Outcome> => {
    for (const write of shot.writes) {
      if (socket.destroyed || socket.writableEnded) break;
      await Promise.race([new Promise((resolve) => socket.write(writeOf(write), resolve)), ended]);
    }
    if (shot.hurried) socket.end();
    else wait();
    await ended;
    clearTimeout(silence);
    const received = Buffer.concat(chunks);
    return shot.to === "HTTP connection" ? readHttp(received) : readHttp2(received);
  };
  return inTime(run(), () => socket.destroy());
}

/**
 * Checks that the received bytes are HTTP/1.1 responses, one after the other. The last one may be incomplete: the
 * client has closed its side, which cancels a response.
 */
function readHttp(received: Buffer): Outcome {
  const text = received.toString("latin1");
  const ids = [...text.matchAll(/^x-request-id: (.*?)\r$/gim)].flatMap(([, id]) => callIds(id));
  let at = 0;
  while (at < text.length) {
    const end = text.indexOf("\r\n\r\n", at);
    const head = text.slice(at, end < 0 ? undefined : end);
    if (!/^HTTP\/1\.1 \d{3} [^\r\n]*(\r\n[!#$%&'*+.^_`|~\w-]+:[^\r\n]*)*(\r\n?)?$/.test(head)) {
      return { ids, problem: `not an HTTP response: ${JSON.stringify(text.slice(at, at + 200))}` };
    }
    if (end < 0) break;
    at = bodyEnd(text, end + 4, head);
  }
  return { ids, problem: undefined };
}

/** Returns where the next response starts. The response to a HEAD request has no body, whatever its headers. */
function bodyEnd(text: string, start: number, head: string): number {
  if (text.startsWith("HTTP/1.1 ", start)) return start;
  const [, digits] = /\r\ncontent-length: *(\d+)/i.exec(head) ?? [];
  if (digits !== undefined) return start + Number(digits);
  if (!/\r\ntransfer-encoding: *chunked/i.test(head))
    return /^HTTP\/1\.1 (1\d\d|204|304) /.test(head) ? start : text.length;
  let at = start;
  for (;;) {
    const [line, size = ""] = /^([0-9a-f]+)\r\n/i.exec(text.slice(at, at + 20)) ?? [];
    if (line === undefined) return text.length;
    at += line.length + Number.parseInt(size, 16) + 2;
    if (Number.parseInt(size, 16) === 0) return at;
  }
}

const frameHead = 9;
const endStream = 1;

/** Checks that the received bytes are HTTP/2 frames, and that no stream ends twice. The last one may be incomplete. */
function readHttp2(received: Buffer): Outcome {
  // Bytes that are not HTTP/2 from the start get an HTTP/1.1 response.
  if (received.subarray(0, 5).toString() === "HTTP/") return { ids: [], problem: undefined };
  const finished = new Set<number>();
  for (let at = 0; at + frameHead <= received.length; ) {
    const [length, type, flags] = [received.readUIntBE(at, 3), received[at + 3] ?? 0, received[at + 4] ?? 0];
    const stream = received.readUInt32BE(at + 5) & 0x7fffffff;
    if (type > 9) return { ids: [], problem: `an unknown type of HTTP/2 frame: ${type}` };
    if (type < 2) {
      if (finished.has(stream)) return { ids: [], problem: `a frame after the end of stream ${stream}` };
      if ((flags & endStream) > 0) finished.add(stream);
    }
    at += frameHead + length;
  }
  return { ids: [], problem: undefined };
}
