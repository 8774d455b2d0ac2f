import type { Config, ListenerConfig } from "./config.ts";

/**
 * What follows a changed value.
 *
 * - calls: calls that begin after the reload
 * - connections: connections that clients open after the reload
 * - process: the process, at once
 * - restart: only a process that starts with it
 */
export type Follower = "calls" | "connections" | "process" | "restart";

export interface ReloadRule {
  readonly follows: Follower;
  /** Returns the part of the configuration that the key sets. */
  readonly of: (config: Config) => unknown;
}

const rule =
  (follows: Follower) =>
  (of: ReloadRule["of"]): ReloadRule => ({ follows, of });
const calls = rule("calls");
const connections = rule("connections");
const process = rule("process");
const restart = rule("restart");

const isDeployment = ({ model }: Config["models"][number]): boolean => model.id.startsWith("deployments/");

/**
 * What a reload does with each key of the file. A section without an entry has one for each of its keys. A further entry
 * `<listener>.tls` has the rule for the section as a whole.
 */
export const reloadRules: Readonly<Record<string, ReloadRule>> = {
  "grpc.address": restart(({ grpc }) => [grpc.host, grpc.port]),
  "grpc.tls": restart(({ grpc }) => tlsForm(grpc)),
  "grpc.tls.certificate": connections(({ grpc }) => grpc.tls?.certificate),
  "grpc.tls.key": connections(({ grpc }) => grpc.tls?.key),
  "grpc.tls.client_authority": connections(({ grpc }) => grpc.tls?.clientAuthority),
  "grpc.reflection": calls(({ grpc }) => grpc.reflection),
  "http.address": restart(({ http }) => [http.host, http.port]),
  "http.tls": restart(({ http }) => tlsForm(http)),
  "http.tls.certificate": connections(({ http }) => http.tls?.certificate),
  "http.tls.key": connections(({ http }) => http.tls?.key),
  "http.tls.client_authority": connections(({ http }) => http.tls?.clientAuthority),
  "http.stream_headers_after": calls(({ http }) => http.streamHeadersAfterMs),
  "http.allowed_hosts": calls(({ http }) => http.allowedHosts),
  "http.cors_origins": calls(({ http }) => http.corsOrigins),
  "authentication.mode": calls(({ authentication }) => authentication.mode),
  "authentication.keys": calls(({ authentication }) => authentication.keys),
  "authentication.require_account": calls(({ authentication }) => authentication.requireAccount),
  accounts: calls(({ accounts }) => accounts),
  "limits.max_request_size": calls(({ limits }) => limits.maxRequestBytes),
  "limits.max_values": calls(({ limits }) => limits.maxValues),
  "limits.max_answer_size": calls(({ limits }) => limits.maxAnswerBytes),
  "limits.max_call_duration": calls(({ limits }) => limits.maxCallMs),
  "limits.max_request_duration": calls(({ limits }) => limits.maxRequestMs),
  "limits.max_bytes_in_flight": process(({ limits }) => limits.maxBytesInFlight),
  "limits.max_connections": process(({ limits }) => limits.maxConnections),
  "limits.max_connections_per_address": process(({ limits }) => limits.maxConnectionsPerAddress),
  "limits.max_streams": process(({ limits }) => limits.maxStreams),
  "limits.max_streams_per_address": process(({ limits }) => limits.maxStreamsPerAddress),
  "limits.max_concurrent_streams": connections(({ limits }) => limits.maxConcurrentStreams),
  "limits.max_calls_per_model": calls(({ limits }) => limits.maxCallsPerModel),
  "limits.max_queue_per_provider": calls(({ limits }) => limits.maxQueuePerProvider),
  "limits.max_template_processes": calls(({ limits }) => limits.maxTemplateProcesses),
  "limits.max_template_processes_per_account": calls(({ limits }) => limits.maxTemplateProcessesPerAccount),
  "limits.max_counting_queue": calls(({ limits }) => limits.maxCountingQueueBytes),
  "limits.max_counting_work": calls(({ limits }) => limits.maxCountingWorkMs),
  "limits.max_counting_time": calls(({ limits }) => limits.maxCountingTimeMs),
  "limits.max_event_loop_lag": process(({ limits }) => limits.maxEventLoopLagMs),
  "limits.heap_share": process(({ limits }) => limits.heapShare),
  "limits.provider_options": calls(({ limits }) => limits.providerOptions),
  "shutdown.delay": process(({ shutdown }) => shutdown.delayMs),
  "shutdown.grace": process(({ shutdown }) => shutdown.graceMs),
  "grpc_connection.max_age": connections(({ grpcConnection }) => grpcConnection.maxAgeMs),
  "grpc_connection.max_idle": connections(({ grpcConnection }) => grpcConnection.maxIdleMs),
  "grpc_connection.keepalive": connections(({ grpcConnection }) => grpcConnection.keepaliveMs),
  "log.level": process(({ log }) => log.level),
  "log.max_buffer_size": process(({ log }) => log.maxBufferBytes),
  providers: calls(({ providers, providerStatuses }) => [providers, providerStatuses]),
  profile: calls(({ profile }) => profile),
  models: calls(({ models }) => models.filter((model) => !isDeployment(model))),
  deployments: calls(({ models }) => models.filter(isDeployment)),
  routes: calls(({ routes }) => routes),
  breaker: process(({ breaker }) => breaker),
  prices: calls(({ prices }) => prices),
  "state.redis": restart(({ state }) => state?.url),
  "state.prefix": restart(({ state }) => state?.prefix),
  "store.database": restart(({ store }) => store.database),
  "store.outbox": restart(({ store }) => store.outbox),
  "store.durability": restart(({ store }) => store.durability),
  "store.on_full": restart(({ store }) => store.onFull),
  "store.max_outbox_size": restart(({ store }) => store.maxOutboxBytes),
  "store.retention": restart(({ store }) => store.retention),
  workers: restart(({ workers }) => workers),
  "store.sinks": restart(({ store }) => store.sinks),
  "telemetry.metrics_address": restart(({ telemetry }) => telemetry.metricsAddress),
  "telemetry.max_account_labels": restart(({ telemetry }) => telemetry.maxAccountLabels),
};

/** Returns a configuration with the values of a running one for all keys that need a restart. */
export function withFixed(next: Config, running: Config): Config {
  const { state, store, telemetry, workers } = running;
  return Object.freeze({
    ...next,
    grpc: { ...next.grpc, ...fixedOf(next.grpc, running.grpc) },
    http: { ...next.http, ...fixedOf(next.http, running.http) },
    state,
    store,
    workers,
    telemetry,
  });
}

function fixedOf(next: ListenerConfig, { host, port, tls }: ListenerConfig): ListenerConfig {
  const hasForm = String(tlsForm(next)) === String(tlsForm({ tls }));
  return { host, port, tls: hasForm ? next.tls : tls };
}

/** Whether a listener has TLS, and whether clients need a certificate: a listener cannot change either. */
function tlsForm({ tls }: Pick<ListenerConfig, "tls">): readonly boolean[] {
  return [tls !== undefined, tls?.clientAuthority !== undefined];
}
