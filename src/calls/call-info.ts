import { create } from "@bufbuild/protobuf";
import type { Attempt } from "../gen/dragoman/v1/attempt_pb.js";
import { type CallInfo, CallInfoSchema } from "../gen/dragoman/v1/error_pb.js";
import type { Usage } from "../gen/dragoman/v1/usage_pb.js";

/** Creates the detail of the error of a call that failed. */
export function createCallInfo(callId: string, usage: Usage | undefined, attempts: readonly Attempt[]): CallInfo {
  return create(CallInfoSchema, {
    callId,
    ...(usage && { usage }),
    attempts: attempts.map((attempt) => ({ ...attempt, providerLimits: {} })),
  });
}
