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
