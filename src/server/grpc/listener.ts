import { constants, type Http2Server, type ServerOptions } from "node:http2";
import { logVerbosity, Server, ServerCredentials, setLogVerbosity } from "@grpc/grpc-js";
import { type Address, formatAddress } from "../../config/address.ts";
import type { Config } from "../../config/config.ts";
import type { Duration } from "../connections.ts";
import { listenError } from "../listen-problem.ts";
import { closingMs, type Listener, type Services } from "../listener.ts";
import { createGrpcAccess, type GrpcAccess } from "./access.ts";
import { addService } from "./bridge.ts";
import { addHealth, healthDurations } from "./health.ts";
import { guardProtocol } from "./protocol-guard.ts";
import { createReflection, reflectionPaths, reflectionServices } from "./reflection.ts";
import type { StreamListener } from "./reject-stream.ts";
import { replaceOptions, serverOptions } from "./server-options.ts";
import { Sessions, sessionOptions } from "./sessions.ts";
import { contextOf, TlsCredentials } from "./tls-credentials.ts";

/** Paths of requests that need no API key, and how long they may take. Reflection checks its own access. */
const openPaths: ReadonlyMap<string, Duration> = new Map([...healthDurations, ...reflectionPaths]);

// Turn off the log of grpc-js: it prints invalid header values, which may be API keys, to standard error.
setLogVerbosity(logVerbosity.NONE);

/** Opens the gRPC listener, which serves the mounted services, health and reflection. */
export async function listenGrpc(
  config: Config,
  { calls, mounted, targetHealth, rejections }: Services,
): Promise<Listener> {
  const names = mounted.map(({ service }) => service.typeName);
  // Health needs no API key.
  const access = createGrpcAccess({ calls, mounted }, new Set(healthDurations.keys()));
  const sessions = new Sessions(config.limits, rejections, openPaths);
  const server = new Server({ interceptors: [access.interceptor], ...serverOptions(config) });
  let current = config;
  const reflection = createReflection(() => current, calls, [...names, "grpc.health.v1.Health", ...reflectionServices]);
  standBeforeGrpcJs(server, (http2Server) => {
    sessions.guard(http2Server);
    return (grpcJs) => sessions.bound(guarded(guardProtocol(reflection(access.before(grpcJs)), access.rejected)));
  });
  for (const service of mounted) addService(server, service, access.admittedCall);
  // The empty name stands for the whole server.
  const stopServing = addHealth(server, ["", ...names], targetHealth);
  const { host, tls } = config.grpc;
  const credentials = tls && new TlsCredentials(tls);
  const port = await bind(server, config.grpc, credentials ?? ServerCredentials.createInsecure());
  return {
    address: { host, port },
    prepare(next) {
      const options = serverOptions(next);
      const context = next.grpc.tls && contextOf(next.grpc.tls);
      return () => {
        current = next;
        replaceOptions(server, options);
        sessions.setLimits(next.limits);
        if (context !== undefined) credentials?.replace(context);
      };
    },
    stopReady: stopServing,
    handOver: unbind,
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
    rejectNew: unbind,
  };

  /**
   * Closes the listener at once, and sends GOAWAY on every connection: running calls go on, new calls go elsewhere. A
   * call that is on its way meanwhile is not processed. GOAWAY says so, and the client can send it again. A first GOAWAY
   * that still accepts such calls is not possible with Node: nghttp2 ignores new streams after any GOAWAY.
   */
  function unbind(): void {
    server.unbind(formatAddress({ host, port }));
  }
}

/**
 * Installs listeners, such as access control, in front of the stream listener of grpc-js. grpc-js has no public API for
 * this: it creates its HTTP/2 servers itself, and rejects unknown methods before interceptors run.
 *
 * @param prepare Receives each HTTP/2 server, and returns the function that wraps its stream listener.
 */
function standBeforeGrpcJs(server: Server, prepare: (http2Server: Http2Server) => GrpcAccess["before"]): void {
  // Private members of grpc-js 1.14. Tests check that grpc-js still uses them.
  const internals = server as unknown as {
    createHttp2Server(credentials: ServerCredentials): Http2Server;
    readonly commonServerOptions: ServerOptions;
  };
  Object.assign(internals.commonServerOptions, sessionOptions);
  const createHttp2Server = internals.createHttp2Server.bind(server);
  internals.createHttp2Server = (credentials) => {
    const http2Server = createHttp2Server(credentials);
    const before = prepare(http2Server);
    for (const grpcJs of http2Server.listeners("stream")) {
      http2Server.removeListener("stream", grpcJs);
      // Cast, because Node's types wrongly declare these as listeners for client streams.
      http2Server.on("stream", before(grpcJs as unknown as StreamListener));
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

function bind(server: Server, address: Address, credentials: ServerCredentials): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync(formatAddress(address), credentials, (error, port) => {
      if (error) reject(listenError(error, address, { key: "grpc.address", variable: "DRAGOMAN_GRPC_ADDRESS" }));
      else resolve(port);
    });
  });
}
