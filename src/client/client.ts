import { type Client, createClient, type Interceptor } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { AccountService } from "../gen/dragoman/admin/v1/account_service_pb.js";
import { KeyService } from "../gen/dragoman/admin/v1/key_service_pb.js";
import { RoutingService } from "../gen/dragoman/admin/v1/routing_service_pb.js";
import { UsageService } from "../gen/dragoman/admin/v1/usage_service_pb.js";
import { ChatService } from "../gen/dragoman/v1/chat_service_pb.js";
import { EmbeddingService } from "../gen/dragoman/v1/embedding_service_pb.js";
import { ModelService } from "../gen/dragoman/v1/model_service_pb.js";
import { TokenService } from "../gen/dragoman/v1/token_service_pb.js";

/** Certificates, each as PEM. */
export interface TlsOptions {
  /** Authority of the service's certificate. Default: the authorities that Node.js trusts. */
  readonly ca?: string | Uint8Array | undefined;
  /** Certificate of the client, if the service requires one. */
  readonly cert?: string | Uint8Array | undefined;
  /** Private key of `cert`. */
  readonly key?: string | Uint8Array | undefined;
}

export interface ClientOptions {
  /** API key, sent as `x-api-key`. Default: none. */
  readonly apiKey?: string | undefined;
  /** Encrypts the connection. Default: false. */
  readonly tls?: boolean | TlsOptions | undefined;
  /** Deadline in ms of each call without `timeoutMs` of its own. Default: none. */
  readonly timeoutMs?: number | undefined;
}

/** Clients of Dragoman's services, which share one connection. */
export interface DragomanClient {
  readonly chat: Client<typeof ChatService>;
  readonly models: Client<typeof ModelService>;
  readonly embeddings: Client<typeof EmbeddingService>;
  readonly tokens: Client<typeof TokenService>;
  readonly keys: Client<typeof KeyService>;
  readonly accounts: Client<typeof AccountService>;
  readonly usage: Client<typeof UsageService>;
  readonly routing: Client<typeof RoutingService>;
}

/** Keepalive of docs/deploy.md: finds connections that broke without a sign. */
const keepalive = { pingIntervalMs: 60_000, pingTimeoutMs: 20_000 } as const;

/**
 * Creates clients that call Dragoman with gRPC. They connect at the first call, and an idle connection does not keep the
 * process running. A failed call throws ConnectError.
 *
 * @param address host and port of the gRPC listener, such as `127.0.0.1:50051`
 */
export function createDragomanClient(
  address: string,
  { apiKey, tls = false, timeoutMs }: ClientOptions = {},
): DragomanClient {
  const transport = createGrpcTransport({
    ...{ baseUrl: urlOf(address, tls !== false), interceptors: apiKey === undefined ? [] : [sendKey(apiKey)] },
    ...keepalive,
    ...(timeoutMs !== undefined && { defaultTimeoutMs: timeoutMs }),
    ...(typeof tls === "object" && { nodeOptions: certificatesOf(tls) }),
  });
  return {
    chat: createClient(ChatService, transport),
    models: createClient(ModelService, transport),
    embeddings: createClient(EmbeddingService, transport),
    tokens: createClient(TokenService, transport),
    keys: createClient(KeyService, transport),
    accounts: createClient(AccountService, transport),
    usage: createClient(UsageService, transport),
    routing: createClient(RoutingService, transport),
  };
}

/** Returns the base URL of an address. Throws TypeError. */
function urlOf(address: string, hasTls: boolean): string {
  const url = URL.parse(`${hasTls ? "https" : "http"}://${address}`);
  if (url === null || !/^[^/@?#]+:\d+$/.test(address)) {
    throw new TypeError(
      `the address ${JSON.stringify(address)} is not valid; write host:port, such as 127.0.0.1:50051`,
    );
  }
  return url.origin;
}

function sendKey(apiKey: string): Interceptor {
  return (next) => (request) => {
    request.header.set("x-api-key", apiKey);
    return next(request);
  };
}

function certificatesOf({ ca, cert, key }: TlsOptions) {
  const pem = (text: string | Uint8Array) => (typeof text === "string" ? text : Buffer.from(text));
  return {
    ...(ca !== undefined && { ca: pem(ca) }),
    ...(cert !== undefined && { cert: pem(cert) }),
    ...(key !== undefined && { key: pem(key) }),
  };
}
