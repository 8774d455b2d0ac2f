import type { Readable } from "node:stream";

/** Longest line that is passed on whole. */
const mostBytes = 1_048_576;

const lineFeed = 0x0a;

/**
 * Passes the output of a worker on in whole lines, as many at once as there are: workers that write to one pipe cut each
 * other's lines once it is full. Does not decode them.
 */
export function passLines(stream: Readable | null, write: (lines: Buffer) => void): void {
  if (stream === null) return;
  let rest: Buffer[] = [];
  let size = 0;
  stream.on("data", (chunk: Buffer) => {
    const end = chunk.lastIndexOf(lineFeed) + 1;
    if (end > 0) {
      write(rest.length === 0 ? chunk.subarray(0, end) : Buffer.concat([...rest, chunk.subarray(0, end)]));
      rest = [];
      size = 0;
    }
    if (end === chunk.length) return;
    rest.push(chunk.subarray(end));
    size += chunk.length - end;
    if (size > mostBytes) flush();
  });
  stream.on("end", flush);
  // The worker has ended.
  stream.on("error", () => {});

  function flush(): void {
    if (size > 0) write(Buffer.concat([...rest, Buffer.of(lineFeed)]));
    rest = [];
    size = 0;
  }
}
