import { write, writeSync } from "node:fs";
import type { Descriptor } from "./standard-stream.ts";

// Characters that are written at once, unless they wait for longer than 100 ms: a write takes 30 µs of CPU time, and more
// in the supervisor of workers. Buffered lines are lost if the process is killed.
const chunkLength = 32_768;
const flushMs = 100;

// Dragoman retries a write that failed or would wait after the first of these times, which doubles up to the second.
const firstRetryMs = 1;
const longestRetryMs = 250;

// Limits one turn of the event loop: at most 256 KiB are written before other work runs.
const chunksPerTurn = 8;

// Maximum time for the last lines when the process exits, if the reader does not read.
const exitFlushMs = 1000;
const exitRetryMs = 5;

interface Chunk {
  bytes: Buffer;
  /** Dropped lines that are counted in this chunk. */
  readonly dropped: number;
}

interface OutputOptions {
  /** Maximum bytes of buffered lines. */
  readonly maxBytes: number;
  /** Returns the line that stands where `lines` lines were dropped. Undefined: none. */
  readonly lossLine?: (lines: number) => string;
  /** Reports a problem of the output. Called at most once per second, and when the process exits. */
  readonly report?: (problem: string) => void;
}

/**
 * Writes lines to a descriptor without waiting for its reader. If writes fail or the reader stalls, the buffer drops
 * lines beyond its maximum and counts them. It keeps trying, and writes the count in place of the dropped lines.
 */
export class OutputBuffer {
  readonly #descriptor: Descriptor;
  readonly #options: Omit<OutputOptions, "maxBytes">;
  /** Maximum bytes of buffered lines. A lower value drops no line that is buffered already. */
  maxBytes: number;
  readonly #chunks: Chunk[] = [];
  /** Lines that are not yet a chunk. */
  #open = "";
  /** Dropped lines that are counted in `#open`. */
  #openDropped = 0;
  #bytes = 0;
  #dropped = 0;
  #droppedTotal = 0;
  #timer: NodeJS.Timeout | undefined;
  #state: "idle" | "writing" | "waiting" = "idle";
  #retryMs = firstRetryMs;
  #hasProblem = false;
  #reportedAt = Number.NEGATIVE_INFINITY;

  constructor(descriptor: Descriptor, { maxBytes, ...options }: OutputOptions) {
    this.#descriptor = descriptor;
    this.maxBytes = maxBytes;
    this.#options = options;
  }

  /** Lines that were dropped since the start. */
  get droppedTotal(): number {
    return this.#droppedTotal;
  }

  /** Buffers a line, which ends with a line feed. */
  write(line: string): void {
    if (this.#isRefused(line.length)) this.#drop(1);
    else this.#append(line);
  }

  /** Buffers whole lines that are encoded already. */
  writeLines(lines: Buffer): void {
    if (this.#isRefused(lines.length)) {
      this.#drop(countLines(lines));
      return;
    }
    this.#seal();
    this.#chunks.push({ bytes: lines, dropped: 0 });
    this.#bytes += lines.length;
    if (this.#state === "idle") this.#writeChunks();
    else this.#wake(flushMs);
  }

  /** Writes the remaining lines before the process exits. Gives up on an error, or if the reader does not read. */
  flushSync(): void {
    clearTimeout(this.#timer);
    // A thread is writing the first chunk, and finishes while the process exits.
    if (this.#state === "writing") this.#release(this.#chunks[0]?.bytes.length ?? 0);
    const lost = this.#writeUntil(performance.now() + exitFlushMs);
    if (lost > 0) this.#options.report?.(`the log lost ${lost} lines`);
  }

  /** Returns the number of lines that could not be written. */
  #writeUntil(deadline: number): number {
    for (;;) {
      this.#seal();
      const chunk = this.#chunks[0];
      if (chunk === undefined) return 0;
      try {
        this.#release(writeSync(this.#descriptor.fd, chunk.bytes));
      } catch (error) {
        if (codeOf(error) !== "EAGAIN" || performance.now() > deadline) break;
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, exitRetryMs);
      }
    }
    return this.#chunks.reduce((sum, { bytes, dropped }) => sum + countLines(bytes) + dropped, this.#dropped);
  }

  /** Whether more does not fit. Once something was dropped, nothing fits until the count stands in its place. */
  #isRefused(length: number): boolean {
    return this.#dropped > 0 || (this.#bytes > 0 && this.#bytes + length > this.maxBytes);
  }

  #drop(lines: number): void {
    this.#dropped += lines;
    this.#droppedTotal += lines;
    this.#problem("its reader does not keep up");
  }

  #append(line: string): void {
    this.#open += line;
    this.#bytes += line.length;
    if (this.#open.length >= chunkLength) {
      this.#seal();
      if (this.#state === "idle") this.#writeChunks();
    } else {
      this.#wake(flushMs);
    }
  }

  /** Converts the open lines to a chunk. */
  #seal(): void {
    if (this.#open === "") return;
    const bytes = Buffer.from(this.#open);
    this.#bytes += bytes.length - this.#open.length;
    this.#chunks.push({ bytes, dropped: this.#openDropped });
    this.#open = "";
    this.#openDropped = 0;
  }

  /** Writes again after a time, unless that is already planned. */
  #wake(ms: number): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      if (this.#state === "writing") return;
      this.#seal();
      this.#writeChunks();
    }, ms).unref();
  }

  #writeChunks(): void {
    const { fd, canBlock } = this.#descriptor;
    if (canBlock) {
      this.#writeInThread(fd);
      return;
    }
    try {
      for (let turn = 0; turn < chunksPerTurn && this.#chunks[0] !== undefined; turn++) {
        this.#release(writeSync(fd, this.#chunks[0].bytes));
      }
      this.#settle();
    } catch (error) {
      this.#retry(error);
    }
  }

  #writeInThread(fd: number): void {
    const chunk = this.#chunks[0];
    if (chunk === undefined) {
      this.#settle();
      return;
    }
    this.#state = "writing";
    write(fd, chunk.bytes, (error, written) => {
      if (error !== null) {
        this.#retry(error);
        return;
      }
      this.#release(written);
      this.#writeInThread(fd);
    });
  }

  /**
   * Removes written bytes, and ends a gap once half of the buffer is free: a gap for each free line would help nobody.
   */
  #release(written: number): void {
    const chunk = this.#chunks[0];
    if (chunk === undefined) return;
    this.#retryMs = firstRetryMs;
    this.#bytes -= written;
    chunk.bytes = chunk.bytes.subarray(written);
    if (chunk.bytes.length === 0) this.#chunks.shift();
    if (this.#dropped === 0 || this.#bytes > this.maxBytes / 2) return;
    const line = this.#options.lossLine?.(this.#dropped) ?? "";
    this.#open += line;
    this.#bytes += line.length;
    this.#openDropped += this.#dropped;
    this.#dropped = 0;
  }

  #settle(): void {
    this.#state = "idle";
    if (this.#chunks.length > 0) this.#wake(0);
    else this.#hasProblem = false;
    if (this.#open !== "") this.#wake(flushMs);
  }

  #retry(error: unknown): void {
    this.#state = "waiting";
    const code = codeOf(error);
    if (code !== "EAGAIN") this.#problem(code);
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#wake(this.#retryMs);
    this.#retryMs = Math.min(2 * this.#retryMs, longestRetryMs);
  }

  /** Reports the first problem since all lines were written. */
  #problem(cause: string): void {
    if (this.#hasProblem) return;
    this.#hasProblem = true;
    const now = performance.now();
    if (now - this.#reportedAt < 1000) return;
    this.#reportedAt = now;
    this.#options.report?.(`cannot write the log (${cause}); calls go on, and lines that do not fit are dropped`);
  }
}

function countLines(bytes: Buffer): number {
  let lines = 0;
  for (let at = bytes.indexOf("\n"); at >= 0; at = bytes.indexOf("\n", at + 1)) lines++;
  return lines;
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "unknown error";
}
