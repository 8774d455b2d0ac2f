import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { testFolder } from "../support/databases.ts";
import { startProcess } from "../support/process.ts";
import { runProgram } from "../support/run-program.ts";
import { expectPlain } from "./laws.ts";

/** Another program, which uses a port. */
const other = createServer();
let taken: string;
beforeAll(async () => {
  await once(other.listen(0, "127.0.0.1"), "listening");
  const address = other.address();
  taken = typeof address === "object" && address !== null ? `127.0.0.1:${address.port}` : "";
});
afterAll(() => other.close());

const free = { DRAGOMAN_GRPC_ADDRESS: "127.0.0.1:0", DRAGOMAN_HTTP_ADDRESS: "127.0.0.1:0" };
const stopIt = "the port is in use (EADDRINUSE); stop the program that uses it, or set another port in";

interface Mistake {
  readonly yaml?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly expected: string;
}

describe("a service that cannot open a listener", () => {
  it.each<readonly [string, (address: string) => Mistake]>([
    [
      "a port in use for gRPC",
      (address) => ({
        environment: { DRAGOMAN_GRPC_ADDRESS: address },
        expected: `grpc.address: cannot listen on ${address}: ${stopIt} grpc.address or DRAGOMAN_GRPC_ADDRESS`,
      }),
    ],
    [
      "a port in use for HTTP",
      (address) => ({
        environment: { DRAGOMAN_HTTP_ADDRESS: address },
        expected: `http.address: cannot listen on ${address}: ${stopIt} http.address or DRAGOMAN_HTTP_ADDRESS`,
      }),
    ],
    [
      "a port in use for the metrics",
      (address) => ({
        yaml: `telemetry: { metrics_address: "${address}" }`,
        expected: `telemetry.metrics_address: cannot listen on ${address}: ${stopIt} telemetry.metrics_address`,
      }),
    ],
    [
      "a port in use, with workers",
      (address) => ({
        yaml: "workers: 2",
        environment: { DRAGOMAN_HTTP_ADDRESS: address },
        expected: `http.address: cannot listen on ${address}: ${stopIt} http.address or DRAGOMAN_HTTP_ADDRESS`,
      }),
    ],
    [
      "an address of another machine",
      () => ({
        yaml: "authentication: { mode: off }",
        environment: { DRAGOMAN_GRPC_ADDRESS: "192.0.2.1:50051" },
        expected:
          "grpc.address: cannot listen on 192.0.2.1:50051: this machine does not have the address (EADDRNOTAVAIL); " +
          "set an address of this machine in grpc.address or DRAGOMAN_GRPC_ADDRESS, such as 127.0.0.1:50051",
      }),
    ],
    [
      "a host without an address",
      () => ({
        yaml: "authentication: { mode: off }",
        environment: { DRAGOMAN_HTTP_ADDRESS: "nowhere.invalid:8080" },
        expected:
          "http.address: cannot listen on nowhere.invalid:8080: the host has no address (ENOTFOUND); " +
          "set an address of this machine in http.address or DRAGOMAN_HTTP_ADDRESS, such as 127.0.0.1:8080",
      }),
    ],
  ])("names %s in one sentence, and exits with 1", async (_, mistake) => {
    const { yaml = "", environment = {}, expected } = mistake(taken);
    const file = join(testFolder(), "dragoman.yaml");
    // With the section `store`, the service keeps its data beside the file.
    writeFileSync(file, `store: { durability: process }\n${yaml}`);
    const { status, error } = await runProgram(["--config", file], { environment: { ...free, ...environment } });
    expect(error).toBe(`dragoman: ${expected}\n`);
    expect(status).toBe(1);
    expectPlain(error);
  });
});

describe("a database that cannot be used", () => {
  it.each<readonly [string, (folder: string) => string, string, RegExp]>([
    [
      "a file that is no database",
      (folder) => {
        writeFileSync(join(folder, "x.db"), "this is not a database ".repeat(100));
        return "sqlite:x.db";
      },
      "the database of keys and accounts does not respond",
      /^cannot open \S+\/x\.db \(store\.database\): file is not a database \(ERR_SQLITE_ERROR\)$/,
    ],
    [
      "a PostgreSQL that is away",
      () => "postgres://dragoman:secret-word@127.0.0.1:1/dragoman",
      "the database of keys and accounts does not respond",
      /^connect ECONNREFUSED 127\.0\.0\.1:1$/,
    ],
  ])("is named in the log: %s", async (_, prepare, message, reason) => {
    const folder = testFolder();
    const file = join(folder, "dragoman.yaml");
    writeFileSync(file, `store: { database: "${prepare(folder)}" }`);
    await using service = await startProcess({ DRAGOMAN_CONFIG: file });
    const line = await service.logLine(({ msg }) => msg === message);
    expect(line).toMatchObject({ level: "warn", reason: expect.stringMatching(reason) });
    expectPlain(JSON.stringify(line), ["secret-word"]);
  });
});
