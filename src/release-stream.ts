import type { Writable } from "node:stream";

/**
 * Removes what a closed HTTP/2 stream refers to, so that its call is freed soon.
 *
 * Node.js makes a function for each Writable and assigns it to a property (`onwrite`). V8 puts functions that are
 * assigned so into the old generation. They keep their stream, and all that it refers to, until the next full
 * collection: here the whole call. So a busy process would need several times as many full collections.
 *
 * For the same reason, no code on the path of a call assigns a function literal to a property.
 */
export function releaseStream(stream: Writable): void {
  // First those that Node.js tells about each listener that is removed.
  stream.removeAllListeners("removeListener");
  stream.removeAllListeners();
  stream.on("error", ignoreError);
}

/** Listener for errors that another event reports, too. Without any listener, they would end the process. */
export const ignoreError = (): void => {};
