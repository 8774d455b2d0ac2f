import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Client, ConnectError, createClient } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport } from "@connectrpc/connect-node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ChatService } from "../../src/gen/dragoman/v1/chat_service_pb.js";
import { ask } from "../support/requests.ts";
import { startTestService, type TestService } from "../support/service.ts";

const hasOpenssl = spawnSync("openssl", ["version"]).status === 0;

interface Certificate {
  readonly certificate: Buffer;
  readonly key: Buffer;
}

describe.skipIf(!hasOpenssl)("TLS (skipped if openssl is not installed)", () => {
  let folder = "";
  let server: Certificate;
  let client: Certificate;
  let stranger: Certificate;

  /** Creates a self-signed certificate. */
  function issue(name: string): Certificate {
    const files = { certificate: join(folder, `${name}.crt`), key: join(folder, `${name}.key`) };
    const options = `-x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=${name}`;
    const names = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", files.key, "-out", files.certificate];
    execFileSync("openssl", ["req", ...options.split(" "), ...names], { stdio: "ignore" });
    return { certificate: readFileSync(files.certificate), key: readFileSync(files.key) };
  }

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "dragoman-tls-"));
    [server, client, stranger] = [issue("server"), issue("client"), issue("stranger")];
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  function start(clientAuthority: Buffer | undefined): Promise<TestService> {
    const tls = { ...server, clientAuthority };
    return startTestService({}, (config) => ({
      ...config,
      grpc: { ...config.grpc, tls },
      http: { ...config.http, tls },
    }));
  }

  function clients(service: TestService, own?: Certificate): readonly Client<typeof ChatService>[] {
    const nodeOptions = { ca: server.certificate, ...(own && { cert: own.certificate, key: own.key }) };
    return [
      createGrpcTransport({ baseUrl: `https://${service.grpcAddress}`, nodeOptions }),
      createConnectTransport({ baseUrl: `https://${service.httpAddress}`, httpVersion: "1.1", nodeOptions }),
    ].map((transport) => createClient(ChatService, transport));
  }

  it("serves both listeners over TLS", async () => {
    const service = await start(undefined);
    for (const chat of clients(service)) {
      const { completion } = await chat.completeChat({ chat: ask("echo/echo", "over TLS") });
      expect(completion?.choices[0]?.message?.parts[0]?.kind.value).toBe("over TLS");
    }
    await service.stop();
  });

  it("accepts only client certificates of the configured authority", async () => {
    const service = await start(client.certificate);
    for (const chat of clients(service, client)) {
      expect((await chat.completeChat({ chat: ask("echo/echo", "hi") })).completion).toBeDefined();
    }
    for (const rejected of [...clients(service), ...clients(service, stranger)]) {
      const error = await rejected.completeChat({ chat: ask("echo/echo", "hi") }).catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(ConnectError);
    }
    expect(service.records).toHaveLength(2);
    await service.stop();
  });
});
