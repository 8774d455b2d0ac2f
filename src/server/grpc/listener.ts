import { constants, type Http2Server } from "node:http2";
import { logVerbosity, Server, ServerCredentials, setLogVerbosity } from "@grpc/grpc-js";
import { formatAddress } from "../../config/address.ts";
import type { Config, TlsFiles } from "../../config/config.ts";
import {
  ChatService,
  type StreamChatResponse,
  StreamChatResponseSchema,
} from "../../gen/dragoman/v1/chat_service_pb.js";
import { ModelService } from "../../gen/dragoman/v1/model_service_pb.js";
import { closingMs, type Listener, type Services } from "../listener.ts";
import { createGrpcAccess, type GrpcAccess, type StreamListener } from "./access.ts";
import { addService, type Encoders } from "./bridge.ts";
import { encodeResponse } from "./encode-response.ts";
import { addHealth, healthPaths } from "./health.ts";
import { createReflection, reflectionServices } from "./reflection.ts";

/** Services that reflection lists. */
const reflected = [ChatService.typeName, ModelService.typeName, "grpc.health.v1.Health", ...reflectionServices];

/** Health needs no API key. */
const openPaths: ReadonlySet<string> = new Set(healthPaths);

/** Names with a health status: the whole server (the empty name) and each service. */
const watched = ["", ChatService.typeName, ModelService.typeName];

// Turn off the log of grpc-js: it prints invalid header values, which may be API keys, to standard error.
setLogVerbosity(logVerbosity.NONE);

// The cast is safe: the bridge calls an encoder only with messages of the schema that is its key.
const encoders: Encoders = new Map([
  [StreamChatResponseSchema, (message) => encodeResponse(message as StreamChatResponse)],
]);

/** Opens the gRPC listener, which serves Dragoman's services, health and reflection. */
export async function listenGrpc(config: Config, services: Services): Promise<Listener> {
  const methods = [...ChatService.methods, ...ModelService.methods];
  const access = createGrpcAccess(services.calls, methods, openPaths);
  const server = new Server({
    interceptors: [access.interceptor],
    "grpc.max_receive_message_length": config.limits.maxRequestBytes,
    "grpc.max_send_message_length": -1,
    "grpc.max_concurrent_streams": config.limits.maxConcurrentStreams,
    // Maximum memory per connection in MB. Node's default of 10 is too low, since a client opens all its streams on one
    // connection.
    "grpc-node.max_session_memory": 256,
    "grpc.enable_channelz": 0,
    ...(config.grpcConnection.keepaliveMs > 0 && { "grpc.keepalive_time_ms": config.grpcConnection.keepaliveMs }),
    ...(config.grpcConnection.maxAgeMs > 0 && {
      "grpc.max_connection_age_ms": config.grpcConnection.maxAgeMs,
      "grpc.max_connection_age_grace_ms": config.limits.maxCallMs,
    }),
  });
  const reflection = createReflection(config, services.calls, reflected);
  standBeforeGrpcJs(server, (grpcJs) => reflection(access.before(grpcJs)));
  addService(server, ChatService, services.chat, access.admittedCall, encoders);
  addService(server, ModelService, services.models, access.admittedCall);
  const stopServing = addHealth(server, watched);
  const { host } = config.grpc;
  const port = await bind(server, formatAddress(config.grpc), config.grpc.tls);
  return {
    address: { host, port },
    stopReady: stopServing,
    close() {
      return new Promise((resolve) => {
        // Health watches never end by themselves, so close them by force.
        const timer = setTimeout(() => {
          server.forceShutdown();
          resolve();
        }, closingMs);
        server.tryShutdown(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    },
    rejectNew() {
      // Closes the listener at once, and sends GOAWAY on every connection: running calls go on, new calls go elsewhere.
      server.unbind(formatAddress({ host, port }));
    },
  };
}

/**
 * Installs a listener, such as access control, in front of the stream listener of grpc-js. grpc-js has no public API
 * for this: it creates its HTTP/2 servers itself, and rejects unknown methods before interceptors run.
 */
function standBeforeGrpcJs(server: Server, before: GrpcAccess["before"]): void {
  // createHttp2Server is a private method of grpc-js 1.14. A test checks that grpc-js still calls it.
  const internals = server as unknown as { createHttp2Server(credentials: ServerCredentials): Http2Server };
  const createHttp2Server = internals.createHttp2Server.bind(server);
  internals.createHttp2Server = (credentials) => {
    const http2Server = createHttp2Server(credentials);
    for (const grpcJs of http2Server.listeners("stream")) {
      http2Server.removeListener("stream", grpcJs);
      // Cast, because Node's types wrongly declare these as listeners for client streams.
      http2Server.on("stream", guarded(before(grpcJs as unknown as StreamListener)));
    }
    return http2Server;
  };
}

/** Catches errors of a listener, which would otherwise end the process. Resets the stream with INTERNAL_ERROR. */
function guarded(listener: StreamListener): StreamListener {
  return (stream, headers) => {
    try {
      listener(stream, headers);
    } catch {
      stream.close(constants.NGHTTP2_INTERNAL_ERROR);
    }
  };
}

function bind(server: Server, address: string, tls: TlsFiles | undefined): Promise<number> {
  const credentials =
    tls === undefined
      ? ServerCredentials.createInsecure()
      : ServerCredentials.createSsl(
          tls.clientAuthority ?? null,
          [{ private_key: tls.key, cert_chain: tls.certificate }],
          tls.clientAuthority !== undefined,
        );
  return new Promise((resolve, reject) => {
    server.bindAsync(address, credentials, (error, port) => (error ? reject(error) : resolve(port)));
  });
}
