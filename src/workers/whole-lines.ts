import type { Readable } from "node:stream";

/** Longest line that is passed on whole. */
const mostChars = 1_048_576;

/**
 * Passes the output of a worker on in whole lines: workers that write to one pipe cut each other's lines once it is full.
 */
export function passLines(stream: Readable | null, write: (line: string) => void): void {
  if (stream === null) return;
  let rest = "";
  stream.setEncoding("utf8");
  stream.on("data", (text: string) => {
    rest += text;
    let begin = 0;
    for (let end = rest.indexOf("\n"); end >= 0; end = rest.indexOf("\n", begin)) {
      write(rest.slice(begin, end + 1));
      begin = end + 1;
    }
    rest = rest.slice(begin);
    if (rest.length > mostChars) flush();
  });
  stream.on("end", flush);
  // The worker has ended.
  stream.on("error", () => {});

  function flush(): void {
    if (rest !== "") write(`${rest}\n`);
    rest = "";
  }
}
