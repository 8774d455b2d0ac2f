/** Maximum number of messages that are decompressed at the same time: the number of threads that zlib has. */
const most = 4;

let running = 0;
const waiting: (() => void)[] = [];

/**
 * Decompresses a message when its turn comes. A message of 16 KB can grow to 16 MB, and only then counts towards
 * `limits.max_bytes_in_flight`, so few may grow at the same time.
 */
export async function decompressInTurn<Result>(decompress: () => Result | Promise<Result>): Promise<Result> {
  if (running === most) await new Promise<void>((resolve) => waiting.push(resolve));
  else running++;
  try {
    return await decompress();
  } finally {
    const next = waiting.shift();
    if (next === undefined) running--;
    else next();
  }
}
