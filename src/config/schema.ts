import { z } from "zod";
import { accountSchema, keySchema } from "./account-schema.ts";
import { addressForms, parseAddress } from "./address.ts";
import { headers } from "./headers.ts";
import { matching, oneOf, wholeNumberForms } from "./json-forms.ts";
import { deploymentSchema, modelSchema, profile } from "./model-schema.ts";
import { priceSchema } from "./price-schema.ts";
import { apiKey, providerKey } from "./provider-keys.ts";
import { proxy } from "./proxy.ts";
import { parseSize, sizeForms } from "./quantities.ts";
import { breakerSchema, routeSchema } from "./route-schema.ts";
import {
  baseUrl,
  choice,
  duration,
  flag,
  leaf,
  longDuration,
  section,
  share,
  switchOf,
  text,
  wholeNumber,
} from "./rules.ts";
import { stateSchema } from "./state-schema.ts";
import { storeSchema } from "./store-schema.ts";
import { telemetrySchema } from "./telemetry-schema.ts";
import { mostWorkers, parseWorkers } from "./workers-number.ts";

const size = leaf({
  parse: (value) => parseSize(value) || undefined,
  problem: "is not a size",
  fix: "write a size such as 512KiB or 16MiB, or a number of bytes; at least 1 byte, less than 2 GiB",
  forms: sizeForms,
  shown: true,
});
export const address = leaf({
  parse: parseAddress,
  problem: "is not an address",
  fix: "write host:port, such as 127.0.0.1:8080, localhost:8080 or [::1]:8080",
  forms: addressForms,
  shown: true,
});
export const mode = choice("keys", "loopback", "off");
export const level = choice("debug", "info", "warn", "error", "silent");

const reflection = switchOf("on", "authenticated", "off");
const providerOptions = switchOf("on", "off");
const onOrOff = switchOf("on", "off");

/** Parses a host name or address, with IPv6 addresses in brackets, to the form that URLs have. */
function parseHostName(value: unknown): string | undefined {
  const url = URL.parse(`http://${String(value)}`);
  return typeof value === "string" && url?.hostname === value.toLowerCase() ? url.hostname : undefined;
}
const hostName = leaf({
  parse: parseHostName,
  problem: "is not a host name",
  fix: "write a host name without scheme and port, such as dragoman.example",
  forms: [matching("^(?:\\[[0-9a-fA-F:.]+\\]|[^:/?#@\\s]+)$", "dragoman.example")],
  shown: true,
});

/** Accepts an origin only in the form that browsers send: `http.cors_origins` is compared with it. */
function parseOrigin(value: unknown): string | undefined {
  if (typeof value !== "string") return undefined;
  // The URL standard gives other schemes, such as chrome-extension:, no origin.
  if (/^https?:/.test(value)) return URL.parse(value)?.origin === value ? value : undefined;
  return /^[a-z][a-z0-9+.-]*:\/\/[^\s/?#@A-Z]+$/.test(value) ? value : undefined;
}
const origin = leaf({
  parse: parseOrigin,
  problem: "is not an origin",
  fix: "write scheme, host in lower case and port unless it is the default, such as https://app.example, without a path",
  forms: [matching("^[a-z][a-z0-9+.-]*://[^\\s/?#@A-Z]+$", "https://app.example")],
  shown: true,
});

const listener = (defaultAddress: string) => ({
  address: address.prefault(defaultAddress),
  tls: section({ certificate: text.optional(), key: text.optional(), client_authority: text.optional() }).optional(),
});

export type TlsSection = NonNullable<z.output<typeof fileSchema>["grpc"]["tls"]>;
export type ProviderSection = z.output<typeof providerSchema>;

/** One entry of `providers`. The provider's `optionsSchema` validates `options` later. */
export const providerSchema = section({
  enabled: flag.optional(),
  dialect: text.optional(),
  base_url: baseUrl.optional(),
  api_key: apiKey.optional(),
  keys: z.array(providerKey).optional(),
  headers: headers.prefault({}),
  timeouts: section({
    connect: duration.prefault("10s"),
    first_event: duration.prefault("5m"),
    idle: duration.prefault("2m"),
  }).prefault({}),
  proxy: proxy.optional(),
  max_connections: wholeNumber(1).prefault(256),
  http2: onOrOff.prefault("off"),
  trace_context: onOrOff.prefault("off"),
  list_models: onOrOff.optional(),
  options: z.record(z.string(), z.unknown()).prefault({}),
});

const workers = leaf({
  parse: parseWorkers,
  problem: "is neither auto nor a number of workers",
  fix: `write auto, or a number from 1 to ${mostWorkers}`,
  forms: [oneOf("auto"), ...wholeNumberForms(1, mostWorkers)],
  shown: true,
});

/** The configuration file, with the defaults of all settings. */
export const fileSchema = section({
  grpc: section({ ...listener("127.0.0.1:50051"), reflection: reflection.prefault("on") }).prefault({}),
  http: section({
    ...listener("127.0.0.1:8080"),
    stream_headers_after: duration.prefault("15s"),
    allowed_hosts: z.array(hostName).prefault([]),
    cors_origins: z.array(origin).prefault([]),
  }).prefault({}),
  authentication: section({
    mode: mode.optional(),
    keys: z.array(keySchema).prefault([]),
    require_account: flag.prefault(false),
  }).prefault({}),
  accounts: z.record(z.string(), accountSchema).prefault({}),
  limits: section({
    max_request_size: size.prefault("16MiB"),
    max_values: wholeNumber(1).prefault(250_000),
    max_answer_size: size.prefault("64MiB"),
    max_call_duration: longDuration.prefault("10m"),
    max_request_duration: longDuration.prefault("30s"),
    max_bytes_in_flight: size.prefault("256MiB"),
    max_connections: wholeNumber(1).prefault(8192),
    max_connections_per_address: wholeNumber(1).prefault(4096),
    max_streams: wholeNumber(1).prefault(16_384),
    max_streams_per_address: wholeNumber(1).prefault(8192),
    max_concurrent_streams: wholeNumber(1).prefault(4096),
    max_calls_per_model: wholeNumber(0).optional(),
    max_queue_per_provider: wholeNumber(0, 65_536).prefault(1024),
    max_template_processes: wholeNumber(1, 256).prefault(3),
    max_template_processes_per_account: wholeNumber(1, 256).prefault(2),
    max_counting_queue: size.prefault("32MiB"),
    max_counting_work: longDuration.prefault("2s"),
    max_counting_time: longDuration.prefault("5s"),
    max_event_loop_lag: duration.prefault("1s"),
    heap_share: share.prefault(0.85),
    provider_options: providerOptions.prefault("on"),
  }).prefault({}),
  shutdown: section({ delay: duration.prefault(0), grace: duration.prefault("30s") }).prefault({}),
  grpc_connection: section({
    max_age: duration.prefault("10m"),
    max_idle: duration.prefault("10m"),
    keepalive: duration.prefault("1m"),
  }).prefault({}),
  log: section({ level: level.prefault("info"), max_buffer_size: size.prefault("64MiB") }).prefault({}),
  providers: z.record(z.string(), providerSchema).prefault({}),
  profile: profile.optional(),
  models: z.record(z.string(), modelSchema).prefault({}),
  deployments: z.record(z.string(), deploymentSchema).prefault({}),
  routes: z.record(z.string(), routeSchema).prefault({}),
  breaker: breakerSchema.prefault({}),
  prices: z.record(z.string(), priceSchema).prefault({}),
  state: stateSchema.prefault({}),
  store: storeSchema.prefault({}),
  telemetry: telemetrySchema.prefault({}),
  workers: workers.prefault(1),
});
export type FileSection = z.output<typeof fileSchema>;
