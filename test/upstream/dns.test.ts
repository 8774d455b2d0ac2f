import { createServer as createHttp } from "node:http";
import type { LookupFunction } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { Upstream } from "../../src/upstream/http.ts";
import { settings } from "../providers/chat-completions/harness.ts";
import { hasOpenssl, temporaryCertificate } from "../support/certificates.ts";
import { startHttp2Upstream, trust } from "../support/http2-upstream.ts";
import { ask } from "../support/words.ts";

const open: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of open.splice(0)) await close();
});

const body = "data: a\n\ndata: .\n\n";

/** Two servers at two addresses with the same port, and a name that first has the address of the first one. */
async function startMovingName(http2: boolean) {
  const certificate = http2 ? temporaryCertificate({ names: "DNS:provider.example" }) : undefined;
  if (certificate !== undefined) open.push(trust(certificate));
  const served = [0, 0];
  const { promise: hasClosed, resolve: close } = Promise.withResolvers<void>();
  let port = 0;
  for (const [index, host] of ["127.0.0.2", "127.0.0.3"].entries()) {
    if (certificate !== undefined) {
      const server = await startHttp2Upstream(
        ({ response }) => {
          served[index] = (served[index] ?? 0) + 1;
          response.writeHead(200, { "content-type": "text/event-stream" }).end(body);
        },
        { certificate, host, port },
      );
      port = server.port;
      open.unshift(() => server[Symbol.asyncDispose]());
      continue;
    }
    const server = createHttp((_, response) => {
      served[index] = (served[index] ?? 0) + 1;
      response.writeHead(200, { "content-type": "text/event-stream" }).end(body);
    });
    server.on("connection", (socket) => socket.once("close", close));
    await new Promise<void>((resolve) => server.listen(port, host, resolve));
    port = (server.address() as { port: number }).port;
    open.unshift(() => {
      server.closeAllConnections();
      server.close();
    });
  }
  let address = "127.0.0.2";
  const lookup: LookupFunction = (_, options, callback) => {
    if (options.all) callback(null, [{ address, family: 4 }]);
    else callback(null, address, 4);
  };
  return {
    served,
    lookup,
    baseUrl: `${http2 ? "https" : "http"}://provider.example:${port}`,
    /** Resolves when a connection with HTTP/1.1 has closed. */
    closed: () => hasClosed,
    move: () => {
      address = "127.0.0.3";
    },
  };
}

describe.each([
  ["HTTP/1.1", false],
  ["HTTP/2", true],
])("a name that moves to another address, with %s", (_, http2) => {
  it.skipIf(http2 && !hasOpenssl)(
    "is followed once the connections have reached their age; no call fails",
    async () => {
      const name = await startMovingName(http2);
      const maxAgeMs = 300;
      const upstream = new Upstream(
        { ...settings(name.baseUrl), http2 },
        { requestId: [], limitPrefixes: [] },
        { lookup: name.lookup, maxAgeMs },
      );
      open.unshift(() => upstream.close());
      // Traffic all the time, so that no connection is unused.
      const call = async () => expect(await ask(upstream)).toEqual({ words: ["a"], error: undefined });
      for (let count = 0; count < 5; count++) await Promise.all([call(), call()]);
      expect(name.served[1]).toBe(0);
      name.move();
      const begin = performance.now();
      while (performance.now() - begin <= maxAgeMs) await Promise.all([call(), call()]);
      const [before = 0] = name.served;
      for (let count = 0; count < 5; count++) await Promise.all([call(), call()]);
      expect(name.served[0]).toBe(before);
      expect(name.served[1]).toBeGreaterThanOrEqual(10);
    },
  );
});

it("closes a connection with HTTP/1.1 that nobody uses", async () => {
  const name = await startMovingName(false);
  const tuning = { lookup: name.lookup, maxIdleMs: 20 };
  const upstream = new Upstream(settings(name.baseUrl), { requestId: [], limitPrefixes: [] }, tuning);
  open.unshift(() => upstream.close());
  expect((await ask(upstream)).error).toBeUndefined();
  await name.closed();
});
