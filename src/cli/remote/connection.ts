import { createPrivateKey, X509Certificate } from "node:crypto";
import type { DescService } from "@bufbuild/protobuf";
import { type CallOptions, type Client, ConnectError, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { isLoopback } from "../../config/address.ts";
import { parseDuration } from "../../config/quantities.ts";
import { InterruptedError, UsageError } from "../failures.ts";
import type { Shell } from "../shell.ts";
import { readAddress } from "./address.ts";
import { callFailure } from "./call-error.ts";
import { type ConnectionValues, usualAddress } from "./connection-options.ts";
import { readFile } from "./read-file.ts";

/** Clients of a running service. */
export interface Connection {
  client<Service extends DescService>(service: Service): Client<Service>;
  /** Deadline, headers and cancellation of the next call. A call ends at Ctrl-C, or with `signal`. */
  callOptions(signal?: AbortSignal): CallOptions;
  /** Returns the failure of a command for an error of a call, and any other error as it is. */
  failureOf(error: unknown): unknown;
}

interface Defaults {
  /** Deadline in ms without `--timeout`. Undefined: none. Default: 30 s. */
  readonly timeoutMs?: number | undefined;
  /** Account of the calls. Undefined: the default account of the key. */
  readonly account?: string | undefined;
}

/**
 * Runs a command with clients of the service that its options select. Rejects with CommandError if a call fails, and with
 * InterruptedError after Ctrl-C. Throws UsageError.
 */
export async function withService<Result>(
  values: ConnectionValues,
  shell: Pick<Shell, "environment" | "onInterrupt" | "stderr">,
  run: (connection: Connection) => Promise<Result>,
  { timeoutMs: usualTimeoutMs, account }: Defaults = { timeoutMs: 30_000 },
): Promise<Result> {
  const timeoutMs = readTimeout(values.timeout) ?? usualTimeoutMs;
  const url = addressOf(values, shell);
  const key = readKey(values["key-file"], shell.environment.DRAGOMAN_API_KEY);
  if (key !== undefined && url.protocol === "http:" && !isLoopback(url.hostname.replace(/^\[|\]$/g, ""))) {
    shell.stderr.write(`dragoman: the API key goes to ${url.host} without encryption; write --tls to encrypt it\n`);
  }
  const headers = {
    ...(key !== undefined && { "x-api-key": key }),
    ...(account !== undefined && { "x-selected-account-id": account }),
  };
  const transport = createGrpcTransport({ baseUrl: url.origin, nodeOptions: readTlsFiles(values) });
  const interrupt = new AbortController();
  const removeListener = shell.onInterrupt(() => interrupt.abort());
  const failureOf = (error: unknown): unknown => {
    if (interrupt.signal.aborted) return new InterruptedError("Ctrl-C");
    return error instanceof ConnectError ? callFailure(error, url) : error;
  };
  try {
    return await run({
      client: (service) => createClient(service, transport),
      callOptions: (signal) => ({
        headers,
        signal: signal === undefined ? interrupt.signal : AbortSignal.any([interrupt.signal, signal]),
        ...(timeoutMs !== undefined && { timeoutMs }),
      }),
      failureOf,
    });
  } catch (error) {
    throw failureOf(error);
  } finally {
    // The connection is idle now, and an idle connection does not keep the process running.
    removeListener();
  }
}

function addressOf({ address, tls = false, ca, cert }: ConnectionValues, { environment }: Pick<Shell, "environment">) {
  const hasTls = tls || ca !== undefined || cert !== undefined;
  return readAddress(address ?? (environment.DRAGOMAN_ADDRESS || usualAddress), hasTls);
}

function readTimeout(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const timeoutMs = parseDuration(text);
  if (timeoutMs !== undefined && timeoutMs > 0 && !/^\d+$/.test(text)) return timeoutMs;
  throw new UsageError("--timeout is no duration; write 500ms, 30s or 2m");
}

function readKey(file: string | undefined, variable: string | undefined): string | undefined {
  const text = file === undefined ? variable || undefined : readFile("key-file", file).toString("latin1").trim();
  if (text === undefined || /^[\x21-\x7e]+$/.test(text)) return text;
  const place = file === undefined ? "the variable DRAGOMAN_API_KEY" : "--key-file";
  throw new UsageError(`${place} has no API key; write one line of printable ASCII without spaces`);
}

function readTlsFiles({ ca, cert, "cert-key": key }: ConnectionValues) {
  if ((cert === undefined) !== (key === undefined)) throw new UsageError("--cert and --cert-key need each other");
  return {
    ...(ca !== undefined && { ca: readPem("ca", ca, "certificate", (pem) => new X509Certificate(pem)) }),
    ...(cert !== undefined && { cert: readPem("cert", cert, "certificate", (pem) => new X509Certificate(pem)) }),
    ...(key !== undefined && { key: readPem("cert-key", key, "private key", createPrivateKey) }),
  };
}

/** Reads a PEM file. Throws UsageError if `parse` rejects it: TLS itself ignores it, or names a step of OpenSSL. */
function readPem(option: string, path: string, noun: string, parse: (pem: Buffer) => unknown): Buffer {
  const pem = readFile(option, path);
  try {
    parse(pem);
    return pem;
  } catch {
    throw new UsageError(
      `--${option}: the file ${JSON.stringify(path)} has no ${noun}; name a PEM file without encryption`,
    );
  }
}
