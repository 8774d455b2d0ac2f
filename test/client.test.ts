import { globSync, readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { createDragomanClient } from "../src/client/client.ts";

const root = new URL("..", import.meta.url).pathname;
const generated = globSync("src/gen/dragoman/**/*_pb.js", { cwd: root });

it("the client's module exports each file of the contract", () => {
  const index = readFileSync(`${root}/src/client/index.ts`, "utf8");
  expect(generated.length).toBeGreaterThan(30);
  expect(generated.filter((path) => !index.includes(path.replace("src/", "../")))).toEqual([]);
});

it("the client has each service of the contract", () => {
  const clients = Object.keys(createDragomanClient("127.0.0.1:1"));
  expect(clients).toHaveLength(generated.filter((path) => path.endsWith("_service_pb.js")).length);
});
