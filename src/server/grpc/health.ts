import { create, type DescMethod, type Message, type MessageInitShape } from "@bufbuild/protobuf";
import {
  type handleServerStreamingCall,
  type handleUnaryCall,
  type MethodDefinition,
  type Server,
  status,
} from "@grpc/grpc-js";
import {
  Health,
  type HealthCheckRequest,
  HealthCheckResponseSchema,
  type HealthListResponseSchema,
  HealthCheckResponse_ServingStatus as ServingStatus,
} from "../../gen/grpc/health/v1/health_pb.js";
import { decode, encode } from "../../wire/codec.ts";
import type { Duration } from "../connections.ts";
import { pathOf } from "../services/mounted-service.ts";
import { type TargetHealth, targetPrefix } from "../target-health.ts";

type HealthResponse = MessageInitShape<typeof HealthCheckResponseSchema>;
type ListResponse = MessageInitShape<typeof HealthListResponseSchema>;

const service = Object.fromEntries(Health.methods.map((method) => [method.localName, define(method)]));

/** Paths of the health methods, and how long a request may take. */
export const healthDurations: ReadonlyMap<string, Duration> = new Map(
  Object.values(service).map(({ path, responseStream }) => [path, responseStream ? "unbounded response" : "call"]),
);

function define({
  parent,
  name,
  methodKind,
  input,
  output,
}: DescMethod): MethodDefinition<unknown, Record<string, unknown>> {
  return {
    path: pathOf({ parent, name }),
    requestStream: false,
    responseStream: methodKind === "server_streaming",
    requestSerialize: (request) => encode(input, request as Message),
    requestDeserialize: (bytes) => decode(input, bytes),
    responseSerialize: (response) => encode(output, create(output, response)),
    responseDeserialize: (bytes) => decode(output, bytes),
  };
}

/** Maximum length of a name. A stream of Watch holds its name, and needs no API key. */
const longestName = 256;

/** Maximum length of the name of a target: that of a model's name in requests is 256 characters. */
const longestTargetName = targetPrefix.length + longestName;

/**
 * Adds grpc.health.v1 for `names`, which have the status SERVING, and for `targets`. Returns a function that sets
 * NOT_SERVING. List has the routes among the targets, since a target can have any name.
 *
 * The package `grpc-health-check` is not used: it loads a second library for protobuf, keeps every name that a client
 * ever watched, and writes each change to clients that do not read.
 */
export function addHealth(server: Server, names: readonly string[], targets?: TargetHealth): () => void {
  const known = new Set(names);
  let ready = true;
  /** Functions that send the latest status to a watcher, by the watched name. */
  const watchers = new Map<string, Set<(latest: ServingStatus) => void>>();

  /** Returns the status of a name. Undefined: the name is unknown. */
  function statusOf(name: string): ServingStatus | undefined {
    const isServing = known.has(name) || isTargetServing(name);
    if (isServing === undefined) return undefined;
    return isServing && ready ? ServingStatus.SERVING : ServingStatus.NOT_SERVING;
  }

  function isTargetServing(name: string): boolean | undefined {
    if (!name.startsWith(targetPrefix) || name.length > longestTargetName) return undefined;
    return targets?.isServing(name.slice(targetPrefix.length));
  }

  function notify(): void {
    for (const [name, updates] of watchers) {
      const latest = statusOf(name) ?? ServingStatus.SERVICE_UNKNOWN;
      for (const update of updates) update(latest);
    }
  }

  const check: handleUnaryCall<HealthCheckRequest, HealthResponse> = ({ request: { service: name } }, respond) => {
    const found = statusOf(name);
    if (found !== undefined) respond(null, { status: found });
    else respond({ code: status.NOT_FOUND, details: `Health status unknown for service ${name}` });
  };

  const watch: handleServerStreamingCall<HealthCheckRequest, HealthResponse> = (call) => {
    const { service: name } = call.request;
    const longest = name.startsWith(targetPrefix) ? longestTargetName : longestName;
    if (name.length > longest) {
      const details = `the service name exceeds the maximum of ${longest} characters`;
      call.emit("error", { code: status.INVALID_ARGUMENT, details });
      return;
    }
    let sent: ServingStatus | undefined;
    // Skips changes while the client does not read, and sends the latest status when it does.
    const update = (latest: ServingStatus): void => {
      if (latest === sent || call.writableNeedDrain) return;
      sent = latest;
      call.write({ status: latest });
    };
    const updateNow = (): void => update(statusOf(name) ?? ServingStatus.SERVICE_UNKNOWN);
    // The event came before this handler.
    if (call.cancelled) return;
    call.on("drain", updateNow);
    const updates = watchers.get(name) ?? new Set();
    watchers.set(name, updates.add(update));
    call.once("cancelled", () => {
      updates.delete(update);
      if (updates.size === 0 && watchers.get(name) === updates) watchers.delete(name);
    });
    updateNow();
  };

  const list: handleUnaryCall<unknown, ListResponse> = (_call, respond) => {
    const listed = [...known, ...(targets?.routes() ?? []).map((route) => targetPrefix + route)];
    const entries = listed.map((name) => [
      name,
      create(HealthCheckResponseSchema, { status: statusOf(name) ?? ServingStatus.UNKNOWN }),
    ]);
    respond(null, { statuses: Object.fromEntries(entries) });
  };

  server.addService(service, { check, watch, list });
  const stopTargets = targets?.onChange(notify);
  return () => {
    ready = false;
    stopTargets?.();
    notify();
  };
}
