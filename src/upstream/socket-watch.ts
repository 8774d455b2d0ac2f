import type { buildConnector } from "undici";

type Socket = NonNullable<Parameters<buildConnector.Callback>[1]>;

/** Errors of connections that had served a response before, and that sent no byte of the next one. */
const staleErrors = new WeakSet<Error>();

/**
 * Returns whether an error ended a connection that had served a response before, and that sent no byte of the next one.
 * The provider has most likely closed the connection while it was unused, so that it did not read the request.
 */
export function isStale(error: Error): boolean {
  return staleErrors.has(error);
}

/** `HTTP/1.1 100`, of which undici rejects the last digit. */
const continued = /^HTTP\/1\.[01] 100$/;
const statusLength = "HTTP/1.1 100".length;
const informational = /^HTTP\/1\.[01] 1\d\d$/;

/**
 * Watches a new connection to a provider, between undici and the socket:
 *
 * - Some servers send `100 Continue`, although Dragoman did not request it. undici then closes the connection. It skips
 *   all other informational responses, so that `100` becomes `103`.
 * - It marks the errors that `isStale` recognizes.
 */
export function watchSocket(socket: Socket): Socket {
  const read = socket.read.bind(socket);
  const write = socket.write.bind(socket) as (...parameters: unknown[]) => boolean;
  /** Requests that the connection has served or serves. */
  let requests = 0;
  /** Whether a byte has arrived since the last write. */
  let hasAnswer = true;
  /** Beginning of the status line, or end of the head of an informational response. Undefined: in another part. */
  let status: string | undefined;
  let head: string | undefined;

  function scan(chunk: Buffer): void {
    for (let at = 0; at < chunk.length && (status !== undefined || head !== undefined); at++) {
      const character = String.fromCharCode(chunk[at] ?? 0);
      if (head !== undefined) {
        head = (head + character).slice(-4);
        if (head === "\r\n\r\n" || head.endsWith("\n\n")) [head, status] = [undefined, ""];
        continue;
      }
      status += character;
      if (status?.length !== statusLength) continue;
      if (continued.test(status)) chunk[at] = "3".charCodeAt(0);
      head = informational.test(status) ? "" : undefined;
      status = undefined;
    }
  }

  socket.write = (...parameters: unknown[]): boolean => {
    if (hasAnswer) {
      requests++;
      hasAnswer = false;
      status = "";
      head = undefined;
    }
    return write(...parameters);
  };
  socket.read = (size?: number): unknown => {
    const chunk: unknown = read(size);
    if (chunk !== null) hasAnswer = true;
    if ((status !== undefined || head !== undefined) && chunk instanceof Buffer) scan(chunk);
    return chunk;
  };
  return socket.prependListener("error", (error) => {
    if (requests > 1 && !hasAnswer) staleErrors.add(error);
  });
}
