import { once } from "node:events";
import { createServer as createHttps } from "node:https";
import { type AddressInfo, createServer, type LookupFunction, type Socket } from "node:net";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { create } from "@bufbuild/protobuf";
import { describe, expect, it, onTestFinished } from "vitest";
import { GatewayError } from "../../src/errors.ts";
import { AttemptSchema } from "../../src/gen/dragoman/v1/attempt_pb.js";
import { ChatRequestSchema } from "../../src/gen/dragoman/v1/chat_request_pb.js";
import type { ObservedCall } from "../../src/ledger/record.ts";
import { createLog } from "../../src/telemetry/log.ts";
import { createProviderFailureLog } from "../../src/telemetry/provider-failures.ts";
import { Upstream } from "../../src/upstream/http.ts";
import { settings } from "../providers/chat-completions/harness.ts";
import { hasOpenssl, temporaryCertificate } from "../support/certificates.ts";
import { ask as askForWords } from "../support/words.ts";

/** Starts a server, and returns its port. */
async function listen(server: ReturnType<typeof createServer>, host = "127.0.0.1"): Promise<number> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => sockets.add(socket.on("error", () => {})));
  await once(server.listen(0, host), "listening");
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

/** Starts a server on plain sockets that answers the first bytes. */
const listenPlain = (answer: (socket: Socket) => void) =>
  listen(createServer((socket) => socket.once("data", () => answer(socket))));

interface CertificateFacts {
  readonly names?: string;
  readonly expired?: boolean;
  /** Whether Dragoman trusts it. Default true. */
  readonly trusted?: boolean;
}

async function listenTls({ trusted = true, ...properties }: CertificateFacts): Promise<number> {
  const { certificate, key } = temporaryCertificate(properties);
  const defaults = getCACertificates("default");
  if (trusted) setDefaultCACertificates([...defaults, certificate.toString()]);
  onTestFinished(() => setDefaultCACertificates(defaults));
  const server = createHttps({ cert: certificate, key }, (_, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" }).end("data: a\n\ndata: .\n\n");
  });
  server.on("tlsClientError", () => {});
  return listen(server);
}

async function ask(baseUrl: string, lookup?: LookupFunction): Promise<GatewayError | undefined> {
  const headers = { requestId: [], limitPrefixes: [] };
  const upstream = new Upstream(settings(baseUrl), headers, { ...(lookup && { lookup }) });
  const { error } = await askForWords(upstream);
  await upstream.close();
  return error;
}

const failing =
  (code: string): LookupFunction =>
  (name, _, callback) =>
    callback(Object.assign(new Error(`getaddrinfo ${code} ${name}`), { code }), "");

/** An error of the provider's configuration, or one that may pass. */
const lasting = false;
const passing = undefined;

describe("the error of a connection names its kind", () => {
  it.each<[string, () => Promise<string>, string, false | undefined]>([
    [
      "a refused connection",
      async () => "http://127.0.0.1:1",
      "the server refused the connection (ECONNREFUSED)",
      passing,
    ],
    [
      "a server that closes the connection",
      async () => `http://127.0.0.1:${await listenPlain((socket) => socket.destroy())}`,
      "the server closed the connection (UND_ERR_SOCKET)",
      passing,
    ],
    [
      "a server without TLS that answers",
      async () => `https://127.0.0.1:${await listenPlain((socket) => socket.end("HTTP/1.1 400 No\r\n\r\n"))}`,
      "the server does not speak TLS (",
      lasting,
    ],
    [
      "a server without TLS that closes the connection",
      async () => `https://127.0.0.1:${await listenPlain((socket) => socket.end())}`,
      "the server closed the connection (ECONNRESET)",
      passing,
    ],
    [
      "a server with TLS for http://",
      async () => {
        const port = await listenPlain((socket) => socket.end(Buffer.from([0x15, 3, 1, 0, 2, 2, 0x46])));
        return `http://127.0.0.1:${port}`;
      },
      "the server does not speak HTTP/1.1 (HTTPParserError)",
      lasting,
    ],
    [
      "a malformed response",
      async () =>
        `http://127.0.0.1:${await listenPlain((socket) => socket.end("HTTP/1.1 200 OK\r\nbad\u0000: 1\r\n\r\n"))}`,
      "the server's response is not valid HTTP (HTTPParserError)",
      passing,
    ],
  ])("%s", async (_, start, words, retryHere) => {
    const error = await ask(await start());
    expect(error?.reason).toBe("PROVIDER_UNAVAILABLE");
    expect(error?.message).toContain(`the provider could not be reached: ${words}`);
    expect(error?.facts.retryHere).toBe(retryHere);
    expect(error?.message).not.toContain("127.0.0.1");
  });

  it.each([
    ["ENOTFOUND", "the DNS has no address for the server's name (ENOTFOUND)", lasting],
    ["EAI_AGAIN", "the DNS did not answer (EAI_AGAIN)", passing],
  ])("%s", async (code, words, retryHere) => {
    const error = await ask("https://provider.example", failing(code));
    expect(error?.reason).toBe("PROVIDER_UNAVAILABLE");
    expect(error?.facts.retryHere).toBe(retryHere);
    expect(error?.message).toBe(`the provider could not be reached: ${words}`);
  });

  it.skipIf(!hasOpenssl).each<[string, CertificateFacts, string]>([
    ["an expired certificate", { expired: true }, "the server's certificate has expired (CERT_HAS_EXPIRED)"],
    [
      "a self-signed certificate",
      { trusted: false },
      "the server's certificate is self-signed (DEPTH_ZERO_SELF_SIGNED_CERT)",
    ],
    [
      "a certificate of another host",
      { names: "DNS:other.example" },
      "the server's certificate is for another host (ERR_TLS_CERT_ALTNAME_INVALID)",
    ],
  ])("%s", async (_, properties, words) => {
    const error = await ask(`https://127.0.0.1:${await listenTls(properties)}`);
    expect(error).toMatchObject({ reason: "PROVIDER_UNAVAILABLE", facts: { retryHere: false } });
    expect(error?.message).toBe(`the provider could not be reached: ${words}`);
  });

  it.skipIf(!hasOpenssl)("none for a trusted certificate of the host", async () => {
    expect(await ask(`https://127.0.0.1:${await listenTls({})}`)).toBeUndefined();
  });
});

describe("a name with several addresses", () => {
  it.each([
    ["the first IPv4 address", ["127.0.0.2", "127.0.0.1"]],
    ["the IPv6 address", ["::1", "127.0.0.1"]],
  ])("is reached although %s refuses connections", async (_, addresses) => {
    const port = await listenPlain((socket) =>
      socket.end("HTTP/1.1 200 OK\r\ncontent-length: 18\r\n\r\ndata: a\n\ndata: .\n\n"),
    );
    const all = addresses.map((address) => ({ address, family: address.includes(":") ? 6 : 4 }));
    const lookup: LookupFunction = (_name, options, callback) => {
      if (options.all) callback(null, all);
      else callback(null, all[0]?.address ?? "", all[0]?.family);
    };
    expect(await ask(`http://provider.example:${port}`, lookup)).toBeUndefined();
  });

  it("is named with the errors of all addresses in the operator's log", async () => {
    const lookup: LookupFunction = (_name, _options, callback) =>
      callback(null, [
        { address: "127.0.0.2", family: 4 },
        { address: "127.0.0.3", family: 4 },
      ]);
    const error = await ask("http://provider.example:1", lookup);
    expect(error?.message).toBe("the provider could not be reached: the server refused the connection (ECONNREFUSED)");
    expect((error?.cause as Error).message).toMatch(/^provider\.example:1: .*127\.0\.0\.2:1.*; .*127\.0\.0\.3:1/);
  });
});

const observedCall = (id: string): ObservedCall => ({
  ...{ id, requestId: id, method: "CompleteChat", mayCost: true, protocol: "grpc", peerAddress: "192.0.2.1" },
  startTime: new Date(),
});

describe("the operator's log of provider failures", () => {
  it("has host, port and error code, at most once a second for each kind", async () => {
    const lines: Record<string, unknown>[] = [];
    const { attemptFailed } = createProviderFailureLog(
      createLog("info", { write: (line) => void lines.push(JSON.parse(line)) }),
    );
    const note = (id: string, failure: GatewayError) =>
      attemptFailed?.(observedCall(id), create(AttemptSchema), failure, create(ChatRequestSchema));
    const error = await ask("http://127.0.0.1:1");
    if (error === undefined) throw new Error("no error");
    for (let call = 0; call < 5; call++) note(`chat_${call}`, error);
    note("chat_x", new GatewayError("PROVIDER_UNAVAILABLE", "the provider is overloaded"));
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatchObject({
      level: "warn",
      id: "chat_0",
      provider: "openai",
      reason: "PROVIDER_UNAVAILABLE",
      err: { type: "ConnectionError", code: "ECONNREFUSED", host: "127.0.0.1", port: 1 },
    });
  });
});
