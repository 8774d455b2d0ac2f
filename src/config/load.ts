import { dirname, resolve } from "node:path";
import type { ZodType } from "zod";
import type { Model } from "../gen/dragoman/v1/model_pb.js";
import { reportExposure, resolveAuthentication } from "./authentication.ts";
import type { Config, ListenerConfig } from "./config.ts";
import { ConfigError, type ConfigProblem, type ReportProblem } from "./config-error.ts";
import { readConfigFile } from "./config-file.ts";
import type { Environment } from "./environment.ts";
import { interpolate } from "./interpolate.ts";
import { reportUnreachable, resolveModels, withProfile } from "./models.ts";
import type { ConfigurableProvider } from "./provider.ts";
import { reportUnknownProviders, resolveProvider } from "./provider-settings.ts";
import { address, level, mode } from "./schema.ts";
import { readTlsFiles } from "./tls-files.ts";
import { validate, validateVariable } from "./validate.ts";

interface ConfigSources {
  readonly environment: Environment;
  /** Path of the file, from `--config`. Default: the variable DRAGOMAN_CONFIG; without both no file is read. */
  readonly file?: string | undefined;
  /** The providers that can be configured. Default none. */
  readonly providers?: readonly ConfigurableProvider[];
  /** The models that the service lists by itself. The file can change and deploy them. Default none. */
  readonly models?: readonly Model[];
}

/**
 * Puts the configuration together from the environment, the file and the defaults, and freezes it.
 *
 * A variable wins over the file, and the file over the default: DRAGOMAN_GRPC_ADDRESS and DRAGOMAN_HTTP_ADDRESS
 * (`host:port`, IPv6 in brackets), DRAGOMAN_AUTHENTICATION (`keys`, `loopback`, `off`), DRAGOMAN_LOG_LEVEL, and each
 * provider's address variable (`OPENAI_BASE_URL`). Only a provider's key is the other way round: one in the file wins
 * over its variable (`OPENAI_API_KEY`), which may belong to somebody's shell. A variable that is empty counts as unset.
 * Paths in the file are seen from the file's folder. Only the variables that it is given are
 * read; but Amazon's and Google's libraries, once called, look for credentials in the process's own environment
 * (`bedrock/sign.ts`, `vertex/google-tokens.ts`).
 *
 * Throws ConfigError with every mistake that was found.
 */
export function loadConfig({ environment, file, providers: known = [], models: listed = [] }: ConfigSources): Config {
  const problems = new Map<string, ConfigProblem>();
  // The first problem of a place is the cause of the others there.
  const report: ReportProblem = (path, problem, fix) => {
    if (!problems.has(path)) problems.set(path, { path, problem, fix });
  };
  const source = file ?? (environment.DRAGOMAN_CONFIG || undefined);
  const written = source === undefined ? {} : readConfigFile(source);
  const content = validate(interpolate(written, environment, report), written, report);
  const variable = <T>(schema: ZodType<T>, name: string): T | undefined => {
    const text = environment[name];
    return text ? validateVariable(schema, name, text, report) : undefined;
  };

  const modeVariable = variable(mode, "DRAGOMAN_AUTHENTICATION");
  // With a mistake here it is not known what was meant, and exposure would be a second report of the same mistake.
  const modeIsKnown = ![...problems.keys()].some((path) => /^(DRAGOMAN_AUTHENTICATION|authentication\b)/.test(path));
  const authentication = resolveAuthentication(content.authentication, modeVariable, report);
  const listener = (name: "grpc" | "http", addressVariable: string): ListenerConfig => {
    const { address: configured, tls } = content[name];
    const override = variable(address, addressVariable);
    const chosen = override ?? configured;
    if (modeIsKnown) {
      reportExposure(authentication.mode, override === undefined ? `${name}.address` : addressVariable, chosen, report);
    }
    const folder = dirname(resolve(source ?? ""));
    return { ...chosen, tls: tls === undefined ? undefined : readTlsFiles(`${name}.tls`, tls, folder, report) };
  };
  const grpc = listener("grpc", "DRAGOMAN_GRPC_ADDRESS");
  const http = {
    ...listener("http", "DRAGOMAN_HTTP_ADDRESS"),
    streamHeadersAfterMs: content.http.stream_headers_after,
  };
  const logLevel = variable(level, "DRAGOMAN_LOG_LEVEL") ?? content.log.level;
  const knownNames = known.map(({ name }) => name);
  reportUnknownProviders(Object.keys(content.providers), knownNames, report);
  const providers = known.map((provider) =>
    resolveProvider(provider, content.providers[provider.name], { environment, written }, report),
  );
  const models = resolveModels({ listed, providers: knownNames, section: content }, report);
  if (modeIsKnown) reportUnreachable(content.deployments, authentication, report);

  if (problems.size > 0) throw new ConfigError([...problems.values()]);
  const { limits, shutdown, grpc_connection: grpcConnection } = content;
  return deepFreeze({
    grpc,
    http,
    authentication,
    limits: {
      maxRequestBytes: limits.max_request_size,
      maxCallMs: limits.max_call_duration,
      maxConcurrentStreams: limits.max_concurrent_streams,
      maxCallsPerModel: limits.max_calls_per_model,
    },
    shutdown: { delayMs: shutdown.delay, graceMs: shutdown.grace },
    grpcConnection: { maxAgeMs: grpcConnection.max_age, keepaliveMs: grpcConnection.keepalive },
    log: { level: logLevel },
    providers: providers.filter(({ status }) => status.on).map(({ settings }) => settings),
    providerStatuses: providers.map(({ status }) => status),
    profile: content.profile,
    listedModels: withProfile(listed, content.profile),
    models,
  });
}

/** Buffers are left out, since bytes cannot be frozen. */
function deepFreeze<T>(value: T): T {
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return value;
  for (const item of Object.values(value)) deepFreeze(item);
  return Object.freeze(value);
}
