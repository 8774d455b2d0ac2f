import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";

/** Last request of each connection. */
const lastRequests = new WeakMap<Socket, IncomingMessage>();

/**
 * Lets the client send the rest of its request before the connection closes after the response. Node.js closes it at
 * once: then the operating system resets the connection, and a client that is still sending often sees the reset and
 * not the response (RFC 9112, section 9.6).
 *
 * The parser discards the rest. The server's `requestTimeout` bounds the time.
 */
export function lingerAtClose(request: IncomingMessage): void {
  const { socket } = request;
  if (!lastRequests.has(socket)) {
    // Node.js closes a connection by this method when the last response has been sent.
    const closeNow = socket.destroySoon.bind(socket);
    socket.destroySoon = () => {
      if (lastRequests.get(socket)?.complete === false) socket.end();
      else closeNow();
    };
  }
  lastRequests.set(socket, request);
}
