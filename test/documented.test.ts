import { globSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { DescEnum } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { describeConfig } from "../src/config/describe.ts";
import { loadConfig } from "../src/config/load.ts";
import { reasons } from "../src/errors.ts";
import { ErrorReasonSchema } from "../src/gen/dragoman/v1/error_pb.js";
import { WarningReasonSchema } from "../src/gen/dragoman/v1/warning_pb.js";
import { profiles } from "../src/profiles/profiles.ts";
import { scriptSchema } from "../src/providers/echo/script.ts";
import { providers } from "../src/providers/registry.ts";

/** Names of an enum's values without their prefix and without UNSPECIFIED, sorted. */
function valuesOf({ values, sharedPrefix = "" }: DescEnum): readonly string[] {
  const names = values.map(({ name }) => name.slice(sharedPrefix.length));
  return names.filter((name) => name !== "UNSPECIFIED").sort();
}

const read = (path: string) => readFileSync(resolve(import.meta.dirname, "..", path), "utf8");

/** Values of an enum whose comment in the proto says that no code sets them yet, sorted. */
function futureValues(file: string, type: DescEnum): readonly string[] {
  const text = read(`proto/dragoman/v1/${file}`);
  const marked = text
    .matchAll(/((?: *\/\/.*\n)+) *(\w+) = \d+;/g)
    .filter(([, comment]) => /not set it yet/.test(comment ?? ""));
  const names = new Set(marked.map(([, , name = ""]) => name.slice((type.sharedPrefix ?? "").length)));
  return valuesOf(type).filter((name) => names.has(name));
}

/** Reasons and statuses in backquotes. */
function wordsIn(text: string): readonly string[] {
  return [...text.matchAll(/`([A-Z_]+)`/g)].map(([, word = ""]) => word);
}

const sources = globSync("src/**/*.ts", { cwd: resolve(import.meta.dirname, ".."), exclude: ["src/gen/**"] }).map(read);

/** Whether code creates errors or warnings with this reason: the tables of reasons have it as a key, without quotes. */
function isSet(reason: string): boolean {
  return sources.some((source) => source.includes(`"${reason}"`));
}

describe("the documents", () => {
  it("lists every error reason under its status in the proto", () => {
    const [, comment = ""] =
      /Every failure is a gRPC status([\s\S]*?)A failed call also has a CallInfo/.exec(
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

  it("has a row for each reason of ErrorReason, and no other", () => {
    expect(Object.keys(reasons).sort()).toEqual(valuesOf(ErrorReasonSchema));
  });

  it("marks in the proto exactly the error reasons that no code sets yet", () => {
    const unset = Object.keys(reasons).filter((reason) => !isSet(reason));
    expect(unset.sort()).toEqual(futureValues("error.proto", ErrorReasonSchema));
  });

  it("sets no warning reason that the proto marks as not set yet", () => {
    expect(futureValues("warning.proto", WarningReasonSchema).filter(isSet)).toEqual([]);
  });

  it("lists every error reason under its status on docs/errors.md", () => {
    const [, table = ""] =
      /\| status \| reasons \| what to do \|\n\|-+\|-+\|-+\|\n((?:\|.*\n)+)/.exec(read("docs/errors.md")) ?? [];
    const rows = table.split("\n").map((row) => {
      const [, statuses = "", names = ""] = row.split("|");
      // A status can have reasons of the same name.
      const listed = names.includes("the same names") ? statuses : names;
      return { statuses: wordsIn(statuses), reasons: wordsIn(listed) };
    });
    for (const [reason, { status }] of Object.entries(reasons)) {
      const statuses = rows.filter((row) => row.reasons.includes(reason)).flatMap((row) => row.statuses);
      expect(statuses, reason).toContain(status);
    }
    const named = rows.flatMap((row) => row.reasons);
    expect(named.filter((name) => !(name in reasons))).toEqual([]);
  });

  it("lists exactly the registered providers in the table of docs/providers.md", () => {
    const [, table = ""] = /\| providers \| on by \|\n\|-+\|-+\|\n((?:\|.*\n)+)/.exec(read("docs/providers.md")) ?? [];
    const rows = table.split("\n").map((row) => row.split("|")[1] ?? "");
    const named = rows.flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, name]) => name));
    expect(named.sort()).toEqual(providers.map(({ name }) => name).sort());
  });

  it("lists each bound of `limits` with its default on docs/bounds.md", () => {
    const [, table = ""] = /\n\| bound on \|.*\n\|[-|]+\|\n((?:\|.*\n)+)/.exec(read("docs/bounds.md")) ?? [];
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

  it("has a row on docs/echo.md for each field of an echo script, and no other", () => {
    const rows = [...read("docs/echo.md").matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name);
    expect(rows.sort()).toEqual(Object.keys(scriptSchema.shape).sort());
  });

  it("names every profile in docs/models.md, the example configuration and the proto", () => {
    for (const path of ["docs/models.md", "dragoman.example.yaml", "proto/dragoman/v1/profile.proto"]) {
      for (const profile of Object.keys(profiles)) expect(read(path)).toContain(profile);
    }
  });
});
