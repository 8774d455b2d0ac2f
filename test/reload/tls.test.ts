import { once } from "node:events";
import { mkdtempSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "node:tls";
import { createClient } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport } from "@connectrpc/connect-node";
import { describe, expect, it } from "vitest";
import { ChatService } from "../../src/gen/dragoman/v1/chat_service_pb.js";
import { type Certificate, hasOpenssl, issueCertificate } from "../support/certificates.ts";
import { ask, scriptEcho } from "../support/requests.ts";
import { startReloadable } from "./harness.ts";

const rotations = 5;

/** Returns the name in the certificate that a new connection gets. */
async function nameAt(address: string): Promise<string> {
  const { hostname: host, port } = new URL(`https://${address}`);
  const socket = connect({ host, port: Number(port), rejectUnauthorized: false, ALPNProtocols: ["h2", "http/1.1"] });
  await once(socket, "secureConnect");
  const { CN } = socket.getPeerCertificate().subject;
  socket.destroy();
  return String(CN);
}

describe.skipIf(!hasOpenssl)("TLS files that change (skipped if openssl is not installed)", () => {
  it("are those of the next connection, and calls go on", { timeout: 120_000 }, async () => {
    const folder = mkdtempSync(join(tmpdir(), "dragoman-reload-tls-"));
    const certificates = Array.from({ length: rotations }, (_, index) => issueCertificate(folder, `version-${index}`));
    const path = { certificate: join(folder, "tls.crt"), key: join(folder, "tls.key") };
    const replace = (file: string, content: Buffer): void => {
      writeFileSync(`${file}.new`, content);
      renameSync(`${file}.new`, file);
    };
    const use = ({ certificate, key }: Certificate): void => {
      replace(path.certificate, certificate);
      replace(path.key, key);
    };
    use(certificates[0] as Certificate);
    const tls = "{ certificate: tls.crt, key: tls.key }";
    await using service = await startReloadable(`grpc: { tls: ${tls} }\nhttp: { tls: ${tls} }`, {}, [], folder);
    const addresses = [service.grpcAddress, service.httpAddress];
    const nodeOptions = { ca: certificates.map(({ certificate }) => certificate) };
    const grpcOf = () => createGrpcTransport({ baseUrl: `https://${service.grpcAddress}`, nodeOptions });

    // A stream that runs all the time, and clients that connect for each call.
    const running = createClient(ChatService, grpcOf()).streamChat({
      chat: scriptEcho({ text: "word ", repeat: 100_000, delay_ms: 10 }),
    });
    const events = running[Symbol.asyncIterator]();
    await events.next();
    let isOver = false;
    const call = async (transport: () => Parameters<typeof createClient>[1]): Promise<number> => {
      let count = 0;
      for (; !isOver; count++)
        await createClient(ChatService, transport()).completeChat({ chat: ask("echo/echo", "hi") });
      return count;
    };
    const load = Promise.all([
      call(grpcOf),
      call(() =>
        createConnectTransport({ baseUrl: `https://${service.httpAddress}`, httpVersion: "1.1", nodeOptions }),
      ),
    ]);

    for (const [index, certificate] of certificates.entries()) {
      if (index === 0) continue;
      const isReloaded = (line: Readonly<Record<string, unknown>>) =>
        line.msg === "configuration reloaded" && line.generation === index + 1;
      use(certificate);
      const line = await Promise.race([service.logLine(isReloaded), load.then(() => expect.fail())]);
      expect(line.keys).toEqual([
        ...["grpc.tls.certificate", "grpc.tls.key"],
        ...["http.tls.certificate", "http.tls.key"],
      ]);
      expect(await Promise.all(addresses.map(nameAt))).toEqual(Array(2).fill(`version-${index}`));
      expect((await events.next()).done).toBe(false);
    }

    // A certificate without its key is rejected.
    replace(path.certificate, readFileSync(join(folder, "version-0.crt")));
    const rejected = await service.logLine(({ msg }) => msg === "configuration not reloaded; the old one stays");
    expect(rejected).toMatchObject({
      level: "error",
      trigger: "file",
      mistakes: [
        expect.stringMatching(/^grpc\.tls\.key: does not match the certificate; /),
        expect.stringMatching(/^http\.tls\.key: does not match the certificate; /),
      ],
    });
    expect(await Promise.all(addresses.map(nameAt))).toEqual(Array(2).fill(`version-${rotations - 1}`));
    replace(path.key, readFileSync(join(folder, "version-0.key")));
    await service.logLine(({ msg, generation }) => msg === "configuration reloaded" && generation === rotations + 1);
    expect(await Promise.all(addresses.map(nameAt))).toEqual(Array(2).fill("version-0"));

    // Neither listener can begin or end TLS.
    service.write("limits: { max_values: 7 }", "rename");
    expect(await service.logLine(({ msg }) => msg === "needs a restart: grpc.tls, http.tls")).toMatchObject({
      level: "warn",
    });
    expect(await Promise.all(addresses.map(nameAt))).toEqual(Array(2).fill("version-0"));
    isOver = true;
    for (const count of await load) expect(count).toBeGreaterThan(0);
    expect((await events.next()).done).toBe(false);
    await events.return?.();
  });
});
