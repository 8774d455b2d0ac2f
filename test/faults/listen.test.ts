import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it, onTestFinished } from "vitest";
import { runProgram } from "../support/run-program.ts";

const taken = createServer();
let address = "";
beforeAll(async () => {
  taken.listen(0, "127.0.0.1");
  await once(taken, "listening");
  address = `127.0.0.1:${(taken.address() as AddressInfo).port}`;
});
afterAll(() => taken.close());

const free = { DRAGOMAN_GRPC_ADDRESS: "127.0.0.1:0", DRAGOMAN_HTTP_ADDRESS: "127.0.0.1:0" };

/** Starts the service, which must end by itself. The working directory of the tests has no store that it could use. */
async function start(yaml: string, environment: Record<string, string> = {}) {
  const folder = mkdtempSync(join(tmpdir(), "dragoman-listen-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "dragoman.yaml");
  writeFileSync(file, `store: { outbox: out, database: "sqlite:calls.db" }\n${yaml}`);
  return runProgram(["serve", "--config", file], { environment });
}

it.each([
  ["grpc.address", { ...free, DRAGOMAN_GRPC_ADDRESS: "TAKEN" }, "", "grpc.address or DRAGOMAN_GRPC_ADDRESS"],
  ["http.address", { ...free, DRAGOMAN_HTTP_ADDRESS: "TAKEN" }, "", "http.address or DRAGOMAN_HTTP_ADDRESS"],
  ["grpc.address", {}, "grpc: { address: TAKEN }", "grpc.address or DRAGOMAN_GRPC_ADDRESS"],
  ["telemetry.metrics_address", free, "telemetry: { metrics_address: TAKEN }", "telemetry.metrics_address"],
])("a port in use is one sentence that names %s: %j %s", async (key, environment, yaml, place) => {
  const variables = Object.entries(environment).map(([name, value]) => [name, value.replace("TAKEN", address)]);
  const { status, error } = await start(yaml.replace("TAKEN", `"${address}"`), Object.fromEntries(variables));
  expect(error).toBe(
    "dragoman: the configuration has a mistake:\n" +
      `  ${key}: cannot listen on ${address}: the port is in use (EADDRINUSE); ` +
      `stop the program that uses it, or set another port in ${place}\n`,
  );
  expect(status).toBe(1);
});

it.each([
  ["192.0.2.1:1", "this machine does not have the address (EADDRNOTAVAIL)"],
  ["no-such-host.invalid:1", "the host has no address (ENOTFOUND)"],
])("an address that cannot be opened is one sentence: %s", async (wrong, problem) => {
  for (const name of ["GRPC", "HTTP"]) {
    const environment = { ...free, DRAGOMAN_AUTHENTICATION: "off", [`DRAGOMAN_${name}_ADDRESS`]: wrong };
    const { status, error } = await start("", environment);
    expect(error).toContain(`${name.toLowerCase()}.address: cannot listen on ${wrong}: ${problem}; set `);
    expect(error).not.toMatch(/^ +at /m);
    expect(status).toBe(1);
  }
});

it("two workers that cannot listen end with the same sentence", async () => {
  const { status, error } = await start(`workers: 2\nhttp: { address: "${address}" }`, {
    DRAGOMAN_GRPC_ADDRESS: "127.0.0.1:0",
  });
  expect(error).toContain(`http.address: cannot listen on ${address}: the port is in use (EADDRINUSE)`);
  expect(status).toBe(1);
});
