import { once } from "node:events";
import { createServer } from "node:http";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runCommandLine } from "../../src/cli/command-line.ts";
import { exitCodeOf, isExpected, reportOf } from "../../src/cli/report-error.ts";
import { hasOpenssl, issueCertificate } from "../support/certificates.ts";
import { testFolder } from "../support/databases.ts";
import { runProgram } from "../support/run-program.ts";
import { requireKey, startTestService, type TestService } from "../support/service.ts";
import { testShell } from "../support/shell.ts";
import { expectPlain } from "./laws.ts";

let service: TestService;
let withKeys: TestService;
beforeAll(async () => {
  [service, withKeys] = await Promise.all([startTestService(), startTestService({}, requireKey)]);
});
afterAll(() => Promise.all([service.stop(), withKeys.stop()]));

/** Runs a command as the program does, in this process. */
async function run(parameters: readonly string[], environment: Readonly<Record<string, string>> = {}, input = "") {
  const shell = testShell({ environment, input: [input] });
  try {
    await runCommandLine(parameters, shell);
    return { status: 0, output: shell.printed, error: shell.reported };
  } catch (error) {
    if (!isExpected(error)) throw error;
    return {
      status: exitCodeOf(error),
      output: shell.printed,
      error: shell.reported + reportOf(error, parameters),
    };
  }
}

const chat = (address: string, ...more: readonly string[]) => [
  ...["chat", "hello", "--model", "echo/echo", "--address", address],
  ...more,
];

describe("a mistake of the command line", () => {
  it.each<readonly [string, (services: { grpc: string; http: string }) => readonly string[], string, number]>([
    ["a misspelled command", () => ["caht"], "unknown command caht; did you mean chat?", 2],
    [
      "a misspelled option",
      ({ grpc }) => chat(grpc, "--modle", "a"),
      "unknown option '--modle'; did you mean --model?",
      2,
    ],
    [
      "a file that does not exist",
      ({ grpc }) => chat(grpc, "--image", "no.png"),
      '--image: cannot read the file "no.png": it does not exist (ENOENT)',
      2,
    ],
    [
      "a folder in place of a file",
      ({ grpc }) => chat(grpc, "--ca", "/"),
      '--ca: cannot read the file "/": it is a folder (EISDIR)',
      2,
    ],
    [
      "an empty standard input",
      ({ grpc }) => [...chat(grpc), "-"],
      "standard input, for which - stands, is empty; write text there, or omit -",
      2,
    ],
    [
      "the HTTP address in place of the gRPC address",
      ({ http }) => chat(http),
      "cannot talk to ADDRESS (ERR_HTTP2_ERROR)\n  it must be the gRPC address of a service without TLS, usually port 50051, and not its HTTP address; for one with TLS, write --tls",
      1,
    ],
    [
      "TLS to a service without it",
      ({ grpc }) => chat(grpc, "--tls"),
      "ADDRESS does not speak TLS (ERR_SSL_WRONG_VERSION_NUMBER)\n  omit --tls, and write the address as host:port or http://host:port",
      1,
    ],
    [
      "the gRPC address for a health check",
      ({ grpc }) => ["health", "--url", `http://${grpc}`],
      "http://ADDRESS/readyz does not respond with HTTP/1.1 (HPE_INVALID_CONSTANT); write the URL of the HTTP listener, which is usually http://127.0.0.1:8080",
      1,
    ],
    [
      "a health check with TLS of a listener without it",
      ({ http }) => ["health", "--url", `https://${http}`],
      "https://ADDRESS/readyz does not respond with TLS (EPROTO); write http:// in --url",
      1,
    ],
  ])("%s gets a text that says what to write", async (_, parameters, expected, status) => {
    const words = parameters({ grpc: service.grpcAddress, http: service.httpAddress });
    const ended = await run(words);
    const error = ended.error.replaceAll(service.grpcAddress, "ADDRESS").replaceAll(service.httpAddress, "ADDRESS");
    expect([error, ended.status]).toEqual([`dragoman: ${expected}\n`, status]);
    expectPlain(error.replace(/\?\n$/, "\n"));
  });

  it.skipIf(!hasOpenssl)("names the option whose file has no certificate (skipped without openssl)", async () => {
    const folder = testFolder();
    issueCertificate(folder, "client");
    const [certificateFile, keyFile] = [join(folder, "client.crt"), join(folder, "client.key")];
    const swapped = await run(chat(service.grpcAddress, "--cert", keyFile, "--cert-key", certificateFile));
    expect(swapped.error).toBe(
      `dragoman: --cert: the file "${keyFile}" has no certificate; name a PEM file without encryption\n`,
    );
    expect((await run(chat(service.grpcAddress, "--ca", keyFile))).error).toContain('--ca: the file "');
  });
});

describe("with --json", () => {
  it("a failed call is one JSON object on standard error", async () => {
    const ended = await run(["plan", "hello", "--model", "nope", "--address", service.grpcAddress, "--json"]);
    expect([ended.status, ended.output]).toEqual([1, ""]);
    expect(JSON.parse(ended.error)).toEqual({
      error: {
        exit_code: 1,
        message: expect.stringMatching(/^NOT_FOUND \(MODEL_NOT_FOUND\): there is no model nope; /),
        status: "NOT_FOUND",
        reason: "MODEL_NOT_FOUND",
        call_id: expect.any(String),
      },
    });
  });

  it("a wrong field has its name and what to write", async () => {
    const ended = await run([...chat(service.grpcAddress, "--temperature", "9"), "--json"]);
    expect(JSON.parse(ended.error)).toMatchObject({
      error: { fields: [{ field: "chat.parameters.temperature", description: "must be from 0 to 2" }] },
    });
  });

  it("the program prints a wrong command line and a wrong configuration as JSON, with the same exit codes", async () => {
    const usage = await runProgram(["models", "--with", "tool", "--json"]);
    expect([usage.status, JSON.parse(usage.error)]).toEqual([
      2,
      { error: { exit_code: 2, message: '--with: unknown capability "tool"; did you mean tools?' } },
    ]);
    const config = await runProgram(["usage", "--config", "/nowhere/a.yaml", "--json"]);
    expect([config.status, JSON.parse(config.error)]).toMatchObject([
      1,
      { error: { exit_code: 1, problems: [{ path: "/nowhere/a.yaml", fix: "check --config or DRAGOMAN_CONFIG" }] } },
    ]);
  });

  it("a service that is away is named, too", async () => {
    const ended = await run(["models", "--address", "127.0.0.1:1", "--json"]);
    expect([ended.status, JSON.parse(ended.error)]).toMatchObject([
      1,
      { error: { message: expect.stringContaining("no service responds at 127.0.0.1:1") } },
    ]);
  });
});

describe("an API key without encryption", () => {
  const warning = /the API key goes to \S+ without encryption; write --tls to encrypt it/g;
  const key = { DRAGOMAN_API_KEY: "right" };

  it("has one warning if it leaves the machine", async () => {
    // Addresses for documentation (RFC 5737), which nobody has.
    const ended = await run(["models", "--address", "192.0.2.1:50051", "--timeout", "50ms"], key);
    expect(ended.error.match(warning)).toEqual([
      "the API key goes to 192.0.2.1:50051 without encryption; write --tls to encrypt it",
    ]);
    expect(ended.error).not.toContain("right");
  });

  it("has none on loopback, with TLS, and without a key", async () => {
    expect((await run(["models", "--address", withKeys.grpcAddress], key)).error).toBe("");
    for (const [address, environment] of [
      ["https://192.0.2.1:50051", key],
      ["192.0.2.1:50051", {}],
    ] as const) {
      const ended = await run(["models", "--address", address, "--timeout", "50ms"], environment);
      expect(ended.error).not.toMatch(warning);
    }
  });
});

it("a list that is empty says so with --json, too", async () => {
  const ended = await run(["models", "--provider", "opnai", "--json", "--address", service.grpcAddress]);
  expect(ended).toEqual({
    status: 0,
    output: "",
    error: "dragoman: no model matches; the service lists those of its providers\n",
  });
});

it("a server that is no Dragoman is named", async () => {
  const other = createServer((_, response) => response.end("hello")).listen(0, "127.0.0.1");
  await once(other, "listening");
  const address = other.address();
  const port = typeof address === "object" ? address?.port : undefined;
  const ended = await run(chat(`127.0.0.1:${port}`));
  other.close();
  expect([ended.status, ended.error]).toMatchObject([1, expect.stringContaining(`cannot talk to 127.0.0.1:${port}`)]);
});
