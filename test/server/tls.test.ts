import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Client, ConnectError, createClient } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport } from "@connectrpc/connect-node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ChatService } from "../../src/gen/dragoman/v1/chat_service_pb.js";
import { type Certificate, hasOpenssl, issueCertificate } from "../support/certificates.ts";
import { ask } from "../support/requests.ts";
import { startTestService, type TestService } from "../support/service.ts";

describe.skipIf(!hasOpenssl)("TLS (skipped if openssl is not installed)", () => {
  let folder = "";
  let server: Certificate;
  let client: Certificate;
  let stranger: Certificate;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "dragoman-tls-"));
    [server, client, stranger] = [
      issueCertificate(folder, "server"),
      issueCertificate(folder, "client"),
      issueCertificate(folder, "stranger"),
    ];
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
