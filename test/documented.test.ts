import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { describeConfig } from "../src/config/describe.ts";
import { loadConfig } from "../src/config/load.ts";
import { reasons } from "../src/errors.ts";
import { profiles } from "../src/profiles/profiles.ts";
import { providers } from "../src/providers/registry.ts";

const read = (path: string) => readFileSync(resolve(import.meta.dirname, "..", path), "utf8");

describe("the documents", () => {
  it("lists every error reason under its status in the proto", () => {
    const [, comment = ""] =
      /Every failure is a gRPC status([\s\S]*?)service ChatService/.exec(
        read("proto/dragoman/v1/chat_service.proto"),
      ) ?? [];
    const text = comment.replaceAll(/\s*\/\/\s*/g, " ");
    const statusOf = Object.fromEntries(Object.entries(reasons).map(([reason, { status }]) => [reason, status]));
    const statuses = Object.values(statusOf).join("|");
    const listed = [...text.matchAll(new RegExp(`- (${statuses}): (.*?)\\.(?= - |\\s*$)`, "g"))].flatMap(
      ([, status, names = ""]) =>
        (names.replaceAll(/\(.*?\)/g, "").match(/[A-Z]+(_[A-Z]+)*/g) ?? []).map((name) => [name, status]),
    );
    expect(Object.fromEntries(listed)).toEqual(statusOf);
  });

  it("lists every error reason in the README", () => {
    const text = read("README.md");
    for (const reason of Object.keys(reasons)) expect(text).toContain(reason);
  });

  it("lists exactly the registered providers in the README's table", () => {
    const [, table = ""] = /\| providers \| on by \|\n\|-+\|-+\|\n((?:\|.*\n)+)/.exec(read("README.md")) ?? [];
    const rows = table.split("\n").map((row) => row.split("|")[1] ?? "");
    const named = rows.flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, name]) => name));
    expect(named.sort()).toEqual(providers.map(({ name }) => name).sort());
  });

  it("lists each bound of `limits` with its default in the README", () => {
    const [, table = ""] = /\n\| bound on \|.*\n\|[-|]+\|\n((?:\|.*\n)+)/.exec(read("README.md")) ?? [];
    const listed = table.split("\n").flatMap((row) => {
      const [, , keys = "", defaults = ""] = row.split("|");
      const values = defaults.split(",").map((value) => value.replaceAll(/[`,\s]/g, ""));
      return [...keys.matchAll(/`([^`]+)`/g)].map(([, key = ""], index) => [key, values[index]] as const);
    });
    const config: unknown = parse(describeConfig(loadConfig({ environment: {}, providers: [] })));
    const { limits } = z.object({ limits: z.record(z.string(), z.unknown()) }).parse(config);
    const { provider_options: _switch, ...bounds } = limits;
    expect(Object.fromEntries(listed)).toMatchObject(
      Object.fromEntries(Object.entries(bounds).map(([key, value]) => [key, String(value)])),
    );
  });

  it("names every profile in the README, the example configuration and the proto", () => {
    for (const path of ["README.md", "dragoman.example.yaml", "proto/dragoman/v1/model.proto"]) {
      for (const profile of Object.keys(profiles)) expect(read(path)).toContain(profile);
    }
  });
});
