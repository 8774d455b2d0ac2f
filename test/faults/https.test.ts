import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Duplex } from "node:stream";
import { text } from "node:stream/consumers";
import { connect as connectTls } from "node:tls";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hasOpenssl, issueCertificate } from "../support/certificates.ts";
import { type ServiceProcess, startProcess } from "../support/process.ts";

/** Number of deltas of 1 MiB whose response does not fit into the socket buffers of a client that does not read. */
const manyDeltas = 16;

function head(body: string, ...headers: readonly string[]): string {
  const path = "/dragoman.v1.ChatService/CompleteChat";
  const common = ["Host: localhost", "Content-Type: application/json", `Content-Length: ${body.length}`];
  return `${[`POST ${path} HTTP/1.1`, ...common, ...headers].join("\r\n")}\r\n\r\n`;
}

function bodyOf(prompt: string, script?: object): string {
  const messages = [{ role: "ROLE_USER", parts: [{ text: prompt }] }];
  return JSON.stringify({
    chat: { model: "echo/echo", messages, ...(script && { providerOptions: { echo: script } }) },
  });
}

describe.skipIf(!hasOpenssl)("HTTPS (skipped if openssl is not installed)", () => {
  let folder: string;
  let certificate: Buffer;
  let service: ServiceProcess;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "dragoman-https-"));
    ({ certificate } = issueCertificate(folder, "server"));
    const file = join(folder, "dragoman.yaml");
    writeFileSync(file, "http: { tls: { certificate: server.crt, key: server.key } }\n");
    service = await startProcess({ DRAGOMAN_CONFIG: file });
  });
  afterAll(async () => {
    await service[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true });
  });

  /** Connects with TLS. `write` sends each of its texts as a TLS record of its own, all of them in one TCP segment. */
  async function open() {
    const [host, port] = service.httpAddress.split(":");
    const socket = connect(Number(port), host);
    let held: Buffer[] | undefined;
    const transport = new Duplex({
      read() {
        socket.resume();
      },
      write(bytes: Buffer, _encoding, done) {
        if (held === undefined) socket.write(bytes, done);
        else {
          held.push(bytes);
          done();
        }
      },
      final(done) {
        socket.end(done);
      },
    });
    socket.on("data", (bytes) => {
      if (!transport.push(bytes)) socket.pause();
    });
    // `close` and not `end`: a reset connection must end the transport too.
    socket.on("close", () => transport.push(null)).on("error", () => {});
    const stream = connectTls({ socket: transport, host, ca: certificate });
    await once(stream, "secureConnect");
    const write = async (texts: readonly string[]): Promise<void> => {
      held = [];
      for (const text of texts) await new Promise((resolve) => stream.write(text, resolve));
      socket.write(Buffer.concat(held));
      held = undefined;
    };
    return { stream, write };
  }

  const last = bodyOf("the last prompt");
  const lastHead = head(last, "Connection: close");
  const long = bodyOf(`${"long ".repeat(10_000)}the last prompt`);

  it.each([
    ["a head and its body", [lastHead, last]],
    ["a body in parts", [lastHead + last.slice(0, 10), last.slice(10, 20), last.slice(20)]],
    ["a body longer than a TLS record", [head(long, "Connection: close") + long]],
  ])("serves %s that arrive in TLS records while the client does not read", async (_name, records) => {
    const { stream, write } = await open();
    const first = bodyOf("hi", { text: "w", repeat: manyDeltas, large: 1_048_576 });
    await write([head(first) + first]);
    // The service passes the whole response to its socket before the first byte arrives.
    await once(stream, "readable");
    await write(records);
    const responses = await text(stream);
    expect(responses.match(/HTTP\/1\.1 \d+/g)).toEqual(["HTTP/1.1 200", "HTTP/1.1 200"]);
    expect(responses.slice(-2000)).toContain("the last prompt");
  });
});
