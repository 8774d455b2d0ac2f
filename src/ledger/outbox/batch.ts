import { type CallRecord, CallRecordSchema } from "../../gen/dragoman/admin/v1/call_record_pb.js";
import { encodeTo } from "../../wire/codec.ts";
import type { WireWriter } from "../../wire/wire-writer.ts";
import { type FrameKind, headerBytes, maxPayloadBytes, sealFrame } from "./frame.ts";

/** Frames that are written together, and the calls that wait for them. */
export class Batch {
  readonly writer: WireWriter;
  /** Ids of the records. */
  readonly recordIds: string[] = [];
  #waiting: PromiseWithResolvers<void> | undefined;
  #frames = 0;
  #isReleased = false;
  #timer: NodeJS.Timeout | undefined;

  /** `writer`: an empty one. */
  constructor(writer: WireWriter) {
    this.writer = writer;
  }

  /** Resolves when the frames are written, or when the wait has ended. */
  get done(): Promise<void> {
    this.#waiting ??= Promise.withResolvers();
    if (this.#isReleased) this.#waiting.resolve();
    return this.#waiting.promise;
  }

  /** The bytes of all frames. The view is valid until the next frame. */
  get bytes(): Buffer {
    return this.writer.written;
  }

  get frames(): number {
    return this.#frames;
  }

  /** Whether calls no longer wait for the frames. */
  get isReleased(): boolean {
    return this.#isReleased;
  }

  /** Appends a frame, and returns its bytes, which are valid until the next one. Undefined: it would be too large. */
  add(kind: FrameKind, message: CallRecord): Buffer | undefined {
    const start = this.writer.skip(headerBytes);
    encodeTo(this.writer, CallRecordSchema, message);
    if (this.writer.length - start - headerBytes > maxPayloadBytes) {
      this.writer.truncate(start);
      return undefined;
    }
    const frame = this.writer.written.subarray(start);
    sealFrame(frame, kind);
    this.#frames++;
    if (kind === "record") this.recordIds.push(message.id);
    return frame;
  }

  /** Removes the frames, for which no call waits. */
  clear(): void {
    this.writer.truncate(0);
    this.recordIds.length = 0;
    this.#frames = 0;
  }

  /** Calls `onLate` if calls still wait after a time in ms. No effect if there is such a limit. */
  limitWait(ms: number, onLate: () => void): void {
    // When the event loop was busy, timers run first. The end of the write may have arrived meanwhile: look at it before.
    this.#timer ??= setTimeout(() => setImmediate(() => this.#isReleased || onLate()), ms);
  }

  /** Ends the wait of all calls. Returns how many frames no call waits for from now on. */
  release(): number {
    clearTimeout(this.#timer);
    if (this.#isReleased) return 0;
    this.#isReleased = true;
    this.#waiting?.resolve();
    return this.#frames;
  }
}
