import { dirname, resolve } from "node:path";
import type { ZodType } from "zod";
import type { Model } from "../gen/dragoman/v1/model_pb.js";
import { resolveAccounts } from "./accounts.ts";
import { addedModels, addedProviders } from "./added-providers.ts";
import { readKeysVariable } from "./api-keys-variable.ts";
import { reportExposure, resolveAuthentication } from "./authentication.ts";
import type { Config, ListenerConfig } from "./config.ts";
import { ConfigError, type ConfigProblem, type ReportProblem } from "./config-error.ts";
import { type OnRead, readConfigFile, type WrittenConfig } from "./config-file.ts";
import type { Environment } from "./environment.ts";
import { interpolate } from "./interpolate.ts";
import { reportUnreachable, resolveModels } from "./models.ts";
import { resolvePrices } from "./prices.ts";
import type { ConfigurableProvider } from "./provider.ts";
import { resolveProvider } from "./provider-settings.ts";
import { resolveBreaker, resolveRoutes } from "./routes.ts";
import { address, fileSchema, level, mode, type TlsSection } from "./schema.ts";
import { reportSharedPorts } from "./shared-ports.ts";
import { resolveState } from "./state-schema.ts";
import { mayHaveKeys, resolveStore } from "./store.ts";
import { resolveTelemetry } from "./telemetry-schema.ts";
import { readTlsFiles } from "./tls-files.ts";
import { withoutUnset } from "./unset-keys.ts";
import { validate, validateVariable } from "./validate.ts";

interface ConfigSources {
  readonly environment: Environment;
  /** Path of the file, from `--config`. Default: the variable DRAGOMAN_CONFIG, else no file. */
  readonly file?: string | undefined;
  /** Known providers. Default none. */
  readonly providers?: readonly ConfigurableProvider[];
  /** Definitions that `providers.<name>.dialect` can name. Default: the known providers. */
  readonly dialects?: readonly ConfigurableProvider[];
  /** Built-in models of the catalog. The file can change and deploy them. Default none. */
  readonly models?: readonly Model[];
  /** Called for each file that the configuration needs: the configuration file and TLS files. */
  readonly onRead?: OnRead;
  /** Called with the file before interpolation. */
  readonly onWritten?: (file: WrittenConfig) => void;
}

/**
 * Resolves the configuration from the environment, the file and the defaults, and freezes it. Throws ConfigError with
 * every mistake.
 *
 * A variable takes precedence over the file, and the file over the default. The variables are DRAGOMAN_GRPC_ADDRESS and
 * DRAGOMAN_HTTP_ADDRESS (`host:port`, IPv6 in brackets), DRAGOMAN_AUTHENTICATION (`keys`, `loopback`, `off`),
 * DRAGOMAN_API_KEYS (api-keys-variable.ts), DRAGOMAN_LOG_LEVEL, and the base URL variable of each provider (`OPENAI_BASE_URL`).
 * OpenTelemetry has its own (telemetry-schema.ts). But for a provider's API key and
 * proxy, the file takes precedence: a user's shell may set `OPENAI_API_KEY` and `HTTPS_PROXY` for other programs.
 *
 * An empty variable counts as unset. Paths in the file are relative to its folder.
 *
 * Only the variables in `environment` are read. But the libraries of Amazon and Google later look for credentials in
 * the environment of the process (`bedrock/sign.ts`, `vertex/google-tokens.ts`).
 */
export function loadConfig({
  environment,
  file,
  providers: known = [],
  dialects = known,
  models: builtIn = [],
  onRead = () => {},
  onWritten = () => {},
}: ConfigSources): Config {
  const problems = new Map<string, ConfigProblem>();
  // Keep only the first problem at a path, because it causes the later ones.
  const report: ReportProblem = (path, problem, fix) => {
    if (!problems.has(path)) problems.set(path, { path, problem, fix });
  };
  const source = file ?? (environment.DRAGOMAN_CONFIG || undefined);
  const written = source === undefined ? {} : withoutUnset(readConfigFile(source, onRead), fileSchema, report);
  const content = validate(interpolate(written, environment, report), written, report);
  const variable = <T>(schema: ZodType<T>, name: string): T | undefined => {
    const text = environment[name];
    return text ? validateVariable(schema, name, text, report) : undefined;
  };

  const folder = source === undefined ? resolve() : dirname(resolve(source));
  onWritten({ written, folder });

  const isWrong = (path: string) =>
    [...problems.keys()].some(
      (wrong) => wrong === path || wrong.startsWith(`${path}.`) || wrong.startsWith(`${path}[`),
    );
  const store = resolveStore(content.store, { isWritten: written.store !== undefined, folder, isWrong }, report);
  const modeVariable = variable(mode, "DRAGOMAN_AUTHENTICATION");
  const keysOfVariable = readKeysVariable(environment, report);
  // After a mistake in `authentication` the mode is unknown, and reporting exposure would report the mistake twice.
  const modeIsKnown = ![...problems.keys()].some((path) => /^(DRAGOMAN_A|authentication\b)/.test(path));
  const authentication = resolveAuthentication(content.authentication, modeVariable, keysOfVariable, report);
  const readTls = (path: string, tls: TlsSection) => readTlsFiles(path, tls, { folder, onRead }, report);
  const listener = (name: "grpc" | "http", addressVariable: string): ListenerConfig => {
    const { address: configured, tls } = content[name];
    const override = variable(address, addressVariable);
    const chosen = override ?? configured;
    if (modeIsKnown) {
      reportExposure(authentication.mode, override === undefined ? `${name}.address` : addressVariable, chosen, report);
    }
    return { ...chosen, tls: tls === undefined ? undefined : readTls(`${name}.tls`, tls) };
  };
  const grpc = { ...listener("grpc", "DRAGOMAN_GRPC_ADDRESS"), reflection: content.grpc.reflection };
  const http = {
    ...listener("http", "DRAGOMAN_HTTP_ADDRESS"),
    streamHeadersAfterMs: content.http.stream_headers_after,
    allowedHosts: content.http.allowed_hosts,
    corsOrigins: content.http.cors_origins,
  };
  const accounts = resolveAccounts(content.accounts, report);
  const logLevel = variable(level, "DRAGOMAN_LOG_LEVEL") ?? content.log.level;
  const added = addedProviders({ sections: content.providers, known, dialects }, report);
  const knownNames = [...known, ...added].map(({ name }) => name);
  const listed = [...builtIn, ...addedModels(added, builtIn, report)];
  const maxQueue = content.limits.max_queue_per_provider;
  const providers = [...known, ...added].map((provider) =>
    resolveProvider(provider, content.providers[provider.name], { environment, written, maxQueue, isWrong }, report),
  );
  const models = resolveModels({ listed, providers: knownNames, section: content }, report);
  const prices = resolvePrices({ listed, models, providers: knownNames, section: content.prices }, report);
  if (modeIsKnown && !mayHaveKeys(store)) reportUnreachable(content.deployments, authentication, report);
  const routes = resolveRoutes(content.routes, { listed, models, providers: knownNames }, report, isWrong);
  const breaker = resolveBreaker(content.breaker, report, isWrong);
  const telemetry = resolveTelemetry(content.telemetry, variable);

  reportSharedPorts({ grpc, http, metrics: telemetry.metricsAddress }, report);

  if (problems.size > 0) throw new ConfigError([...problems.values()]);
  const { limits, shutdown, grpc_connection: grpcConnection } = content;
  return deepFreeze({
    workers: content.workers,
    grpc,
    http,
    authentication,
    accounts,
    limits: {
      maxRequestBytes: limits.max_request_size,
      maxValues: limits.max_values,
      maxAnswerBytes: limits.max_answer_size,
      maxCallMs: limits.max_call_duration,
      maxRequestMs: limits.max_request_duration,
      maxBytesInFlight: limits.max_bytes_in_flight,
      maxConnections: limits.max_connections,
      maxConnectionsPerAddress: limits.max_connections_per_address,
      maxStreams: limits.max_streams,
      maxStreamsPerAddress: limits.max_streams_per_address,
      maxConcurrentStreams: limits.max_concurrent_streams,
      maxCallsPerModel: limits.max_calls_per_model,
      maxQueuePerProvider: limits.max_queue_per_provider,
      maxTemplateProcesses: limits.max_template_processes,
      maxTemplateProcessesPerAccount: limits.max_template_processes_per_account,
      maxCountingQueueBytes: limits.max_counting_queue,
      maxCountingWorkMs: limits.max_counting_work,
      maxCountingTimeMs: limits.max_counting_time,
      maxEventLoopLagMs: limits.max_event_loop_lag,
      heapShare: limits.heap_share,
      providerOptions: limits.provider_options,
    },
    shutdown: { delayMs: shutdown.delay, graceMs: shutdown.grace },
    grpcConnection: {
      maxAgeMs: grpcConnection.max_age,
      maxIdleMs: grpcConnection.max_idle,
      keepaliveMs: grpcConnection.keepalive,
    },
    log: { level: logLevel, maxBufferBytes: content.log.max_buffer_size },
    providers: providers.filter(({ status }) => status.on).map(({ settings }) => settings),
    providerStatuses: providers.map(({ status }) => status),
    profile: content.profile,
    listedModels: listed,
    models,
    routes,
    breaker,
    prices,
    state: resolveState(content.state),
    store,
    telemetry,
  });
}

/** Freezes a value recursively, except Buffers, whose bytes cannot be frozen. */
function deepFreeze<T>(value: T): T {
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return value;
  for (const item of Object.values(value)) deepFreeze(item);
  return Object.freeze(value);
}
