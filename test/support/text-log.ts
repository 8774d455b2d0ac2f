import { Writable } from "node:stream";
import { createLog, type Log } from "../../src/telemetry/log.ts";

/** Log of every level that keeps its lines. */
export interface TextLog {
  readonly log: Log;
  /** All lines so far. */
  readonly text: string;
}

export function createTextLog(): TextLog {
  let text = "";
  const output = new Writable({
    write(chunk, _encoding, done) {
      text += chunk;
      done();
    },
  });
  return {
    log: createLog("debug", output),
    get text() {
      return text;
    },
  };
}
