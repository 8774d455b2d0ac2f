import { resolve } from "node:path";
import { describeAccounts, describeKey } from "./accounts.ts";
import { formatAddress } from "./address.ts";
import { isOfVariable, keysVariable } from "./api-keys-variable.ts";
import type { Config, ListenerConfig, TlsFiles } from "./config.ts";
import { isTree, type WrittenConfig } from "./config-file.ts";
import { describeDeployments, describeModels } from "./describe-models.ts";
import { describeBreaker, describeRoutes } from "./describe-routes.ts";
import { Commented, formatDescribed, HiddenText } from "./described.ts";
import { describePrices } from "./prices.ts";
import type { ProviderKey, ProviderSettings } from "./provider.ts";
import { formatDuration, formatSize } from "./quantities.ts";
import { describeState } from "./state-schema.ts";
import { describeStore } from "./store.ts";
import { describeTelemetry } from "./telemetry-schema.ts";
import { parseCertificates } from "./tls-files.ts";

/**
 * Describes the resolved configuration as a file that can be read back. Comments have what is no key of a file, such as
 * the reason why a provider is configured. A secret that comes from a variable is printed as `${NAME}`, and another one
 * as `${REMOVED}`.
 *
 * @param onRemoved receives the path of each secret that the file itself has
 */
export function describeConfig(
  config: Config,
  { written, folder }: WrittenConfig = { written: {}, folder: resolve() },
  onRemoved: (path: string) => void = () => {},
): string {
  const { grpc, http, authentication, limits, shutdown, grpcConnection, log } = config;
  const { profile, models, routes, breaker, prices, store } = config;
  const described = {
    workers: config.workers,
    grpc: { ...describeListener(grpc, written.grpc, folder), reflection: grpc.reflection },
    http: {
      ...describeListener(http, written.http, folder),
      stream_headers_after: formatDuration(http.streamHeadersAfterMs),
      allowed_hosts: http.allowedHosts,
      cors_origins: http.corsOrigins,
    },
    authentication: {
      mode: authentication.mode,
      require_account: authentication.requireAccount,
      keys: describeApiKeys(authentication.keys),
    },
    accounts: describeAccounts(config.accounts),
    limits: {
      max_request_size: formatSize(limits.maxRequestBytes),
      max_values: limits.maxValues,
      max_answer_size: formatSize(limits.maxAnswerBytes),
      max_call_duration: formatDuration(limits.maxCallMs),
      max_request_duration: formatDuration(limits.maxRequestMs),
      max_bytes_in_flight: formatSize(limits.maxBytesInFlight),
      max_connections: limits.maxConnections,
      max_connections_per_address: limits.maxConnectionsPerAddress,
      max_streams: limits.maxStreams,
      max_streams_per_address: limits.maxStreamsPerAddress,
      max_concurrent_streams: limits.maxConcurrentStreams,
      max_calls_per_model: limits.maxCallsPerModel,
      max_queue_per_provider: limits.maxQueuePerProvider,
      max_template_processes: limits.maxTemplateProcesses,
      max_template_processes_per_account: limits.maxTemplateProcessesPerAccount,
      max_counting_queue: formatSize(limits.maxCountingQueueBytes),
      max_counting_work: formatDuration(limits.maxCountingWorkMs),
      max_counting_time: formatDuration(limits.maxCountingTimeMs),
      max_event_loop_lag: formatDuration(limits.maxEventLoopLagMs),
      heap_share: limits.heapShare,
      provider_options: limits.providerOptions,
    },
    shutdown: { delay: formatDuration(shutdown.delayMs), grace: formatDuration(shutdown.graceMs) },
    grpc_connection: {
      max_age: formatDuration(grpcConnection.maxAgeMs),
      max_idle: formatDuration(grpcConnection.maxIdleMs),
      keepalive: formatDuration(grpcConnection.keepaliveMs),
    },
    log: { level: log.level, max_buffer_size: formatSize(log.maxBufferBytes) },
    providers: describeProviders(config),
    profile,
    models: describeModels(models),
    deployments: describeDeployments(models),
    routes: describeRoutes(routes),
    breaker: describeBreaker(breaker),
    prices: describePrices(prices),
    state: describeState(config.state),
    store: describeStore(store),
    telemetry: describeTelemetry(config.telemetry),
  };
  return formatDescribed(described, written, onRemoved);
}

/** Describes the keys of the file. Those of a variable are in a comment, because the variable still has them. */
function describeApiKeys(keys: Config["authentication"]["keys"]) {
  const [ofVariable, ofFile] = [keys.filter(isOfVariable), keys.filter((key) => !isOfVariable(key))];
  const described = ofFile.map(({ id, sha256, ...settings }) => ({
    id,
    sha256: sha256.toString("hex"),
    ...describeKey(settings),
  }));
  if (ofVariable.length === 0) return described;
  return new Commented(described, `${keysVariable} has ${ofVariable.map(({ id }) => id).join(", ")}`);
}

function describeListener(listener: ListenerConfig, section: unknown, folder: string) {
  return {
    address: formatAddress(listener),
    tls: listener.tls === undefined ? undefined : describeTls(listener.tls, section, folder),
  };
}

function describeTls(files: TlsFiles, section: unknown, folder: string) {
  const paths = isTree(section) && isTree(section.tls) ? section.tls : {};
  const described = Object.entries(paths).map(([key, path]) => {
    const pem = { certificate: files.certificate, client_authority: files.clientAuthority }[key];
    const absolute = typeof path === "string" ? resolve(folder, path) : path;
    return [key, pem === undefined ? absolute : new Commented(absolute, describeCertificate(pem))];
  });
  return Object.fromEntries(described);
}

function describeCertificate(pem: Buffer): string {
  const { subject, validToDate } = parseCertificates(pem);
  return `${subject.replaceAll("\n", ", ")}, expires ${validToDate.toISOString()}`;
}

function describeProviders({ providers, providerStatuses }: Config) {
  const settingsOf = new Map(providers.map((settings) => [settings.name, settings]));
  return Object.fromEntries(
    providerStatuses.map(({ name, on, reason, dialect }) => {
      const settings = settingsOf.get(name);
      if (settings === undefined) return [name, new Commented({ enabled: on, dialect }, reason)];
      const { baseUrl, headers, timeouts, proxy, maxConnections, http2, sendsTrace, listsModels } = settings;
      const described = {
        enabled: on,
        dialect,
        base_url: baseUrl === "" ? undefined : baseUrl,
        ...describeKeys(settings.keys),
        headers: hideTexts(headers),
        timeouts: {
          connect: formatDuration(timeouts.connectMs),
          first_event: formatDuration(timeouts.firstEventMs),
          idle: formatDuration(timeouts.idleMs),
        },
        proxy: proxy?.configured,
        max_connections: maxConnections,
        http2: http2 ? "on" : "off",
        trace_context: sendsTrace ? "on" : "off",
        list_models: listsModels === undefined ? undefined : listsModels ? "on" : "off",
        options: describeOptions(settings),
      };
      return [name, new Commented(described, reason)];
    }),
  );
}

/** Describes keys with names as `keys`, and one without a name as `api_key`. */
function describeKeys(keys: readonly ProviderKey[]) {
  const hidden = ({ secret }: ProviderKey) => new HiddenText(secret.variable);
  if (keys.every(({ name }) => name === "")) return { api_key: keys[0] && hidden(keys[0]) };
  return { keys: keys.map((key) => ({ name: key.name, value: hidden(key), weight: key.weight })) };
}

/** Hides every text that is no choice, since only the provider knows which of its other options are secret. */
function describeOptions({ options, choices = [] }: ProviderSettings): unknown {
  if (typeof options !== "object" || options === null) return options;
  const described = Object.entries(options).map(([name, value]) => [
    name,
    choices.includes(name) ? value : hideTexts(value),
  ]);
  return Object.fromEntries(described);
}

/** Hides every string. */
function hideTexts(value: unknown): unknown {
  if (typeof value === "string") return new HiddenText();
  if (Array.isArray(value)) return value.map(hideTexts);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, hideTexts(item)]));
}
