import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it, onTestFinished } from "vitest";
import { readAddress } from "../../../src/cli/remote/address.ts";
import { hasOpenssl, issueCertificate } from "../../support/certificates.ts";
import { testFolder } from "../../support/databases.ts";
import { runProgram } from "../../support/run-program.ts";
import { type ConfigChange, requireKey, startTestService } from "../../support/service.ts";

async function start(change?: ConfigChange) {
  const service = await startTestService({}, change);
  onTestFinished(() => service.stop());
  return service;
}

const ask = (address: string, parameters: readonly string[] = [], environment: Record<string, string> = {}) =>
  runProgram(["chat", "Hello", "--quiet", "--model", "echo/echo", "--address", address, ...parameters], {
    environment,
  });

describe("a command that calls a service", () => {
  it("says how to start one if there is none", async () => {
    expect(await ask("127.0.0.1:1")).toEqual({
      status: 1,
      output: "",
      error:
        "dragoman: no service responds at 127.0.0.1:1\n" +
        "  start one with `dragoman serve`, or name its address with --address or DRAGOMAN_ADDRESS\n",
    });
  });

  it("says that a server is no gRPC listener", async () => {
    const server = createServer((_, response) => response.end("hello"));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void server.close());
    const address = server.address();
    const port = typeof address === "object" ? address?.port : undefined;
    const { status, error } = await ask(`127.0.0.1:${port}`);
    expect(status).toBe(1);
    expect(error).toMatch(/^dragoman: cannot talk to 127\.0\.0\.1:\d+ \(\w+\)\n {2}it must be the gRPC address of/);
  });

  it("sends the key of the variable or of a file", async () => {
    const { grpcAddress } = await start(requireKey);
    const file = join(testFolder(), "key");
    writeFileSync(file, "right\n");
    expect(await ask(grpcAddress, [], { DRAGOMAN_API_KEY: "right" })).toMatchObject({ status: 0, output: "Hello\n" });
    expect((await ask(grpcAddress, ["--key-file", file], { DRAGOMAN_API_KEY: "wrong" })).status).toBe(0);
    const { status, error } = await ask(grpcAddress);
    expect(status).toBe(1);
    expect(error).toContain("UNAUTHENTICATED (CREDENTIALS_MISSING)");
    expect(error).toContain("set DRAGOMAN_API_KEY, or write --key-file");
    const wrong = await ask(grpcAddress, [], { DRAGOMAN_API_KEY: "wrong-and-secret" });
    expect(wrong.error).toContain("CREDENTIALS_INVALID");
    expect(wrong.error).not.toContain("wrong-and-secret");
  });

  it("ends at its deadline", async () => {
    const { grpcAddress } = await start();
    const late = ["--timeout", "200ms", "--provider-options", '{"echo": {"stall": {}}}'];
    expect(await ask(grpcAddress, late)).toMatchObject({
      status: 1,
      error: expect.stringMatching(/^dragoman: DEADLINE_EXCEEDED.*\n(.*\n)*? {2}allow more time with --timeout\n/),
    });
  });

  it("ends quietly if the reader of its output has read enough", async () => {
    const { grpcAddress } = await start();
    const text = '{"echo": {"text": "line\\n", "repeat": 200000}}';
    const main = new URL("../../../src/main.ts", import.meta.url).pathname;
    const line = `"${process.execPath}" "${main}" chat --model echo/echo '${text}' | head -1`;
    const environment = { PATH: process.env.PATH, DRAGOMAN_ADDRESS: grpcAddress };
    expect(await promisify(execFile)("sh", ["-c", line], { env: environment })).toEqual({
      stdout: "line\n",
      stderr: "",
    });
  });
});

describe.skipIf(!hasOpenssl)("a command that calls a service with TLS", () => {
  it("checks the service's certificate, and shows its own", async () => {
    const folder = testFolder();
    const file = (name: string): string => join(folder, name);
    const { certificate, key } = issueCertificate(folder, "server");
    const { certificate: clientAuthority } = issueCertificate(folder, "client");
    const tls = { certificate, key, clientAuthority };
    const { grpcAddress } = await start((config) => ({ ...config, grpc: { ...config.grpc, tls } }));
    const authority = ["--tls", "--ca", file("server.crt")];
    const own = ["--cert", file("client.crt"), "--cert-key", file("client.key")];
    expect(await ask(grpcAddress, [...authority, ...own])).toMatchObject({ status: 0, output: "Hello\n" });
    expect((await ask(`https://${grpcAddress}`, [...authority, ...own])).status).toBe(0);
    const [unknown, without, plain] = await Promise.all([
      ask(grpcAddress, ["--tls", ...own]),
      ask(grpcAddress, authority),
      ask(grpcAddress),
    ]);
    expect(unknown.error).toMatch(/is not accepted \(.*\)\n {2}name its authority with --ca/);
    expect([without.status, plain.status]).toEqual([1, 1]);
    expect(plain.error).toContain("for one with TLS, write --tls");
    expect(without.error).toContain("name a certificate that it accepts with --cert and --cert-key");
  });
});

describe("an address", () => {
  it.each([
    ["localhost", false, "http://localhost:50051"],
    ["models.example:443", true, "https://models.example"],
    ["models.example", true, "https://models.example:50051"],
    ["[::1]", false, "http://[::1]:50051"],
    ["[::1]:80", false, "http://[::1]"],
    ["https://models.example", false, "https://models.example"],
    ["http://127.0.0.1:50051", false, "http://127.0.0.1:50051"],
  ])("%s with TLS %s is %s", (text, hasTls, origin) => {
    expect(readAddress(text, hasTls).origin).toBe(origin);
  });

  it.each(["", "a b", "http://a/path", "host:port", "me:hush@host:1", "grpc://a"])("rejects %j", (text) => {
    expect(() => readAddress(text, false)).toThrow(/^the address is not valid; write host:port/);
  });
});
