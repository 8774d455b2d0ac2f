import { type ChannelOptions, Server } from "@grpc/grpc-js";
import type { Config } from "../../config/config.ts";
import { longestTimerMs } from "../../config/quantities.ts";

/** Longest age of a connection in ms. grpc-js adds up to 10 %, and Node.js fires a timer that is too long at once. */
const longestAgeMs = longestTimerMs / 1.1;

/** Returns the options of grpc-js for a configuration. */
export function serverOptions({ limits, grpcConnection }: Pick<Config, "limits" | "grpcConnection">): ChannelOptions {
  return {
    "grpc.max_receive_message_length": limits.maxRequestBytes,
    "grpc.max_send_message_length": -1,
    "grpc.max_concurrent_streams": limits.maxConcurrentStreams,
    // Maximum memory per connection in MB. Node's default of 10 is too low, since a client opens all its streams on one
    // connection.
    "grpc-node.max_session_memory": 256,
    "grpc.enable_channelz": 0,
    ...(grpcConnection.maxIdleMs > 0 && { "grpc.max_connection_idle_ms": grpcConnection.maxIdleMs }),
    ...(grpcConnection.keepaliveMs > 0 && { "grpc.keepalive_time_ms": grpcConnection.keepaliveMs }),
    ...(grpcConnection.maxAgeMs > 0 && {
      "grpc.max_connection_age_ms": Math.min(grpcConnection.maxAgeMs, longestAgeMs),
      "grpc.max_connection_age_grace_ms": limits.maxCallMs,
    }),
  };
}

/** Private members of grpc-js 1.14 that have the options. It reads them for each call or each connection. */
const members = [
  "options",
  "maxConnectionAgeMs",
  "maxConnectionAgeGraceMs",
  "keepaliveTimeMs",
  "sessionIdleTimeout",
] as const;

/** Returns the members of a server that have its options. Tests check that grpc-js still has them. */
export function optionsIn(server: Server): Record<(typeof members)[number], unknown> {
  return server as unknown as Record<(typeof members)[number], unknown>;
}

/**
 * Replaces the options of a running server, for later calls and connections. grpc-js has no API for this. A server that
 * never listens computes the values, so that the defaults of grpc-js stay its own.
 */
export function replaceOptions(server: Server, options: ChannelOptions): void {
  const [target, source] = [optionsIn(server), optionsIn(new Server(options))];
  const { maxConnectionAgeGraceMs: formerGraceMs } = target;
  for (const member of members) target[member] = source[member];
  // Calls in progress may take as long as before, also if their connection reaches its age now.
  target.maxConnectionAgeGraceMs = Math.max(Number(formerGraceMs), Number(source.maxConnectionAgeGraceMs));
}
