import { closeSync, fdatasyncSync, openSync, writeSync } from "node:fs";
import { headerBytes, sealFrame } from "./frame.ts";
import { listSegments, segmentPath } from "./segments.ts";
import { type Position, readChunks } from "./source.ts";

/** Tag of `CallRecord.id`: field 1, with a length. */
const idTag = 0x0a;

/**
 * Adds the records of lost calls to the folder of a process that has ended: those whose mark no record follows. The folder
 * then has a record for each. Returns their number.
 *
 * @param onRecord called with the end of each record, also of those that were added
 */
export function recordLostCalls(folder: string, onRecord: (end: Position) => void = () => {}): number {
  const segments = listSegments(folder);
  // Only calls that were in progress at the same time, however large the folder is.
  const marks = new Map<string, Buffer>();
  for (const segment of segments) {
    for (const { frames, start } of readChunks(segmentPath(folder, segment), 0, true)) {
      for (const { kind, payload, end } of frames) {
        if (kind === "record") {
          marks.delete(idOf(payload));
          onRecord({ segment, offset: start + end });
        } else marks.set(idOf(payload), toRecord(payload));
      }
    }
  }
  if (marks.size === 0) return 0;
  const added = (segments.at(-1) ?? 0) + 1;
  const descriptor = openSync(segmentPath(folder, added), "wx", 0o600);
  try {
    const bytes = Buffer.concat([...marks.values()]);
    for (let at = 0; at < bytes.length; ) at += writeSync(descriptor, bytes, at);
    fdatasyncSync(descriptor);
    let offset = 0;
    for (const { length } of marks.values()) {
      offset += length;
      onRecord({ segment: added, offset });
    }
  } finally {
    closeSync(descriptor);
  }
  return marks.size;
}

/** Makes the frame of a record from the payload of a mark, which is the record that a lost call gets. */
function toRecord(payload: Buffer): Buffer {
  const frame = Buffer.concat([Buffer.alloc(headerBytes), payload]);
  sealFrame(frame, "record");
  return frame;
}

/** Reads the id, which `encodeRecord` writes first: decoding all other fields would take 20 times as long. */
function idOf(payload: Buffer): string {
  // An id has fewer than 128 bytes, so that its size is one byte.
  const [tag, size = 0] = payload;
  return tag === idTag ? payload.toString("utf8", 2, 2 + size) : "";
}
