import { readFileSync, writeFileSync } from "node:fs";
import { expect, it } from "vitest";
import { startWorkers } from "./harness.ts";

it("reloads the configuration in every worker, and says so once", async () => {
  const { service, file } = await startWorkers(2);
  const models = async (): Promise<boolean> => {
    const url = `http://${service.httpAddress}/dragoman.v1.ModelService/GetModel`;
    const headers = { "content-type": "application/json", connection: "close" };
    return (await fetch(url, { method: "POST", headers, body: '{"id":"deployments/added"}' })).ok;
  };
  expect(await models()).toBe(false);
  writeFileSync(file, `${readFileSync(file, "utf8")}deployments: { added: { model: echo/echo } }\n`);
  service.child.kill("SIGHUP");
  await service.logLine(({ msg, keys }) => msg === "configuration reloaded" && String(keys) === "deployments");
  // Four connections in turn reach each of two workers twice.
  await expect
    .poll(async () => [await models(), await models(), await models(), await models()], { timeout: 20_000 })
    .toEqual([true, true, true, true]);
  const reloads = service.log.filter(({ msg, level }) => msg === "configuration reloaded" && level === "info");
  expect(reloads).toEqual([expect.objectContaining({ generation: 2 })]);
  expect(reloads[0]).not.toHaveProperty("worker");
}, 60_000);

it("says once that a reload is rejected, for a reason that only running workers know, and changes nothing", async () => {
  const keys = `authentication: { mode: keys, keys: [{ id: a, sha256: "${"0".repeat(64)}" }] }\n`;
  const open = 'http: { address: "0.0.0.0:0" }\n';
  const { service, file } = await startWorkers(2, `${open}${keys}`, { DRAGOMAN_HTTP_ADDRESS: "" });
  const address = service.httpAddress.replace("0.0.0.0", "127.0.0.1");
  const url = `http://${address}/dragoman.v1.ModelService/ListModels`;
  const headers = { "content-type": "application/json", connection: "close" };
  const status = async () => (await fetch(url, { method: "POST", headers, body: "{}" })).status;
  const text = readFileSync(file, "utf8");
  const lines = () => service.log.filter(({ msg }) => /^configuration (not )?reloaded/.test(String(msg)));
  // Correct as a file, but the listeners have their addresses until a restart.
  const closed = text.replace(open, 'http: { address: "127.0.0.1:0" }\n').replace(keys, "");
  writeFileSync(file, closed);
  await service.logged("configuration not reloaded; the old one stays");
  writeFileSync(file, closed.replace("workers: 2", "limits: { max_values: none }\nworkers: 2"));
  await expect.poll(() => lines().filter(({ level }) => level === "error").length).toBe(2);
  const [first, second] = lines().filter(({ level }) => level === "error");
  expect(first?.mistakes).toEqual([expect.stringMatching(/^http\.address: .*until a restart/)]);
  expect(second?.mistakes).toEqual([expect.stringMatching(/^limits\.max_values: /)]);
  expect(lines().filter(({ level }) => level === "info")).toEqual([]);
  expect(lines().filter((line) => "worker" in line)).toEqual([]);
  for (let count = 0; count < 2; count++) expect(await status()).toBe(401);
  writeFileSync(file, `${text}limits: { max_values: 5 }\n`);
  const reloaded = await service.logLine(({ msg, level }) => msg === "configuration reloaded" && level === "info");
  expect(reloaded).toMatchObject({ generation: 2, keys: ["limits.max_values"] });
}, 60_000);
