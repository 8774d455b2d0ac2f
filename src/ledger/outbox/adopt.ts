import { closeSync, fdatasyncSync, openSync, writeSync } from "node:fs";
import { fromBinary } from "@bufbuild/protobuf";
import { CallRecordSchema } from "../../gen/dragoman/admin/v1/call_record_pb.js";
import { headerBytes, sealFrame } from "./frame.ts";
import { listSegments, segmentPath } from "./segments.ts";
import { readChunks } from "./source.ts";

/**
 * Adds the records of lost calls to the folder of a process that has ended: those with a mark and without a record. The
 * folder then has a record for each. Returns their number.
 */
export function recordLostCalls(folder: string): number {
  const segments = listSegments(folder);
  const marks = new Map<string, Buffer>();
  const recorded = new Set<string>();
  for (const segment of segments) {
    for (const { frames } of readChunks(segmentPath(folder, segment), 0, true)) {
      for (const { kind, payload } of frames) {
        const { id } = fromBinary(CallRecordSchema, payload);
        if (kind === "record") recorded.add(id);
        else marks.set(id, payload);
      }
    }
  }
  const lost = [...marks].flatMap(([id, payload]) => (recorded.has(id) ? [] : [toRecord(payload)]));
  if (lost.length === 0) return 0;
  const descriptor = openSync(segmentPath(folder, (segments.at(-1) ?? 0) + 1), "wx", 0o600);
  try {
    const bytes = Buffer.concat(lost);
    for (let at = 0; at < bytes.length; ) at += writeSync(descriptor, bytes, at);
    fdatasyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  return lost.length;
}

/** Makes the frame of a record from the payload of a mark, which is the record that a lost call gets. */
function toRecord(payload: Buffer): Buffer {
  const frame = Buffer.concat([Buffer.alloc(headerBytes), payload]);
  sealFrame(frame, "record");
  return frame;
}
