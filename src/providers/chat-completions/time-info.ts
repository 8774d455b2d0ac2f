import type { Duration } from "@bufbuild/protobuf/wkt";
import type { TimeInfo } from "../../gen/dragoman/v1/completion_pb.js";
import type { ChunkTimings } from "./wire.ts";

/** Converts the server's timings, which are in seconds. Returns undefined if there are none. */
export function toTimeInfo(timings: ChunkTimings | undefined): TimeInfo | undefined {
  const { queue_time, prompt_time, completion_time, total_time } = timings ?? {};
  const durations = {
    ...field("queueDuration", queue_time),
    ...field("promptDuration", prompt_time),
    ...field("completionDuration", completion_time),
    ...field("providerDuration", total_time),
  };
  return Object.keys(durations).length === 0 ? undefined : { $typeName: "dragoman.v1.TimeInfo", ...durations };
}

function field<Name extends string>(name: Name, seconds: number | null | undefined): Partial<Record<Name, Duration>>;
function field(name: string, seconds: number | null | undefined): Partial<Record<string, Duration>> {
  if (seconds === null || seconds === undefined) return {};
  const nanos = Math.round(seconds * 1e9);
  const whole = Math.floor(nanos / 1e9);
  return {
    [name]: { $typeName: "google.protobuf.Duration", seconds: BigInt(whole), nanos: nanos - whole * 1e9 },
  };
}
