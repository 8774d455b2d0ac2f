import { constants, fstatSync, openSync } from "node:fs";

/** File descriptor of an output. */
export interface Descriptor {
  readonly fd: number;
  /** Whether a write can wait, as on a slow disk. Other descriptors fail with EAGAIN instead. */
  readonly canBlock: boolean;
}

// Node.js sets O_NONBLOCK when it creates its stream for a pipe or a socket. Dragoman does not write to these streams.
const createStream = { 1: () => process.stdout, 2: () => process.stderr };

/**
 * Makes writes to standard output or standard error return at once. A write that waits for a reader would stall the
 * event loop or, in the thread pool, the exit of the process: Node.js joins the threads of the pool.
 */
export function openStandardStream(fd: 1 | 2): Descriptor {
  const stat = fstatSync(fd);
  if (stat.isFile()) return { fd, canBlock: true };
  const hasReader = stat.isSocket() || stat.isFIFO();
  // Node.js itself prints warnings to standard error, and waits unless it has created the stream.
  if (hasReader && fd === 2) createStream[2]();
  try {
    // Opens the pipe or terminal again, since other processes share the flags of the inherited descriptor.
    const { O_WRONLY, O_NONBLOCK, O_NOCTTY } = constants;
    return { fd: openSync(`/proc/self/fd/${fd}`, O_WRONLY | O_NONBLOCK | O_NOCTTY), canBlock: false };
  } catch {
    // A socket, a pipe of another user or without a reader, or a system without /proc.
    if (!hasReader) return { fd, canBlock: true };
    createStream[fd]();
    return { fd, canBlock: false };
  }
}
