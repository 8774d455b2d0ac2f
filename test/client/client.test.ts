import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { Code, ConnectError, createDragomanClient } from "../../src/client/index.ts";
import { hasOpenssl, issueCertificate } from "../support/certificates.ts";
import { ask } from "../support/requests.ts";
import { requireKey, startTestService } from "../support/service.ts";

const request = { chat: ask("echo/echo", "hello") };
const codeOf = (error: unknown) => ConnectError.from(error).code;

it("sends the API key", async () => {
  const service = await startTestService({}, requireKey);
  onTestFinished(() => service.stop());
  const call = (apiKey?: string) => createDragomanClient(service.grpcAddress, { apiKey }).chat.completeChat(request);
  expect((await call("right")).completion?.model).toBe("echo/echo");
  expect(await call("wrong").catch(codeOf)).toBe(Code.Unauthenticated);
  expect(await call().catch(codeOf)).toBe(Code.Unauthenticated);
});

it.skipIf(!hasOpenssl)("trusts only the given authority, and sends its certificate", async () => {
  const folder = mkdtempSync(join(tmpdir(), "dragoman-client-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const server = issueCertificate(folder, "server");
  const caller = issueCertificate(folder, "caller");
  const files = { certificate: "server.crt", key: "server.key", client_authority: "caller.crt" };
  const tls = Object.entries(files).map(([key, file]) => `${key}: ${join(folder, file)}`);
  const service = await startTestService({}, undefined, `grpc: { tls: { ${tls.join(", ")} } }`);
  onTestFinished(() => service.stop());
  const call = (options: Parameters<typeof createDragomanClient>[1]) =>
    createDragomanClient(service.grpcAddress, options).chat.completeChat(request, { timeoutMs: 10_000 });
  const own = { cert: caller.certificate, key: caller.key.toString() };
  expect((await call({ tls: { ca: server.certificate, ...own } })).completion?.model).toBe("echo/echo");
  await expect(call({ tls: { ca: server.certificate } })).rejects.toThrow(ConnectError);
  await expect(call({ tls: { ca: caller.certificate, ...own } })).rejects.toThrow(/certificate/);
  await expect(call({ tls: true })).rejects.toThrow(/certificate/);
});

it("ends calls at the deadline of the client, unless they have their own", async () => {
  const service = await startTestService();
  onTestFinished(() => service.stop());
  const { chat } = createDragomanClient(service.grpcAddress, { timeoutMs: 50 });
  const stalled = { chat: { ...request.chat, providerOptions: { echo: { stall: {} } } } };
  expect(await chat.completeChat(stalled).catch(codeOf)).toBe(Code.DeadlineExceeded);
  expect((await chat.completeChat(request, { timeoutMs: 10_000 })).completion?.model).toBe("echo/echo");
});

it.each([
  "http://127.0.0.1:50051",
  "127.0.0.1",
  "a b:1",
  "host:1/path",
  "user@host:1",
  "",
  "::1:50051",
  "host:99999",
])("rejects the address %j", (address) => {
  expect(() => createDragomanClient(address)).toThrow(
    new TypeError(`the address ${JSON.stringify(address)} is not valid; write host:port, such as 127.0.0.1:50051`),
  );
});

it("accepts IPv6 addresses and names", () => {
  for (const address of ["[::1]:50051", "dragoman.example:443"])
    expect(() => createDragomanClient(address)).not.toThrow();
});
