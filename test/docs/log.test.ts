import { spawnSync } from "node:child_process";
import { globSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { temporaryFolder } from "../config/harness.ts";
import { answer, callerKeys, type Line, playLoad, playWorkers, prompt, providerKeys } from "../support/log-load.ts";
import { findProgram, isMissing } from "../support/server-process.ts";
import { blocksOf } from "./printed.ts";

const root = resolve(import.meta.dirname, "../..");
const page = readFileSync(join(root, "docs/log.md"), "utf8");

/** A documented field. */
interface Field {
  readonly name: string;
  readonly type: string;
  readonly when: string;
}

const namesIn = (cell: string) => [...cell.matchAll(/(`+)(.+?)\1/g)].map(([, , name = ""]) => name);

/** Returns the cells of the rows of the first table after a heading. */
function tableAfter(heading: string, columns: string): readonly (readonly string[])[] {
  const section = page.slice(page.indexOf(heading));
  const [, rows = ""] = new RegExp(`^\\| ${columns} \\|\\n\\|[-|]+\\|\\n((?:\\|.*\\n)+)`, "m").exec(section) ?? [];
  return rows
    .trim()
    .split("\n")
    .map((row) =>
      row
        .split("|")
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
}

function fieldsAfter(heading: string, columns = "field \\| type \\| meaning \\| when"): readonly Field[] {
  return tableAfter(heading, columns).flatMap(([names = "", type = "", , when = ""]) =>
    namesIn(names).map((name) => ({ name, type, when })),
  );
}

const ofLines = fieldsAfter("## Fields of every line");
const ofCalls = fieldsAfter("## Fields of a call");
const ofAttempts = fieldsAfter("## Fields of an attempt");
const ofErrors = fieldsAfter("## Fields of an error");
const ofOthers = fieldsAfter("## Other lines", "field \\| type \\| meaning");
const messages = tableAfter("## Other lines", "message \\| level \\| fields \\| when").map(
  ([message = "", level = "", fields = ""]) => ({
    message: namesIn(message)[0] ?? "",
    levels: level.split(", "),
    fields: namesIn(fields),
  }),
);

// An attempt of several has the counts and the cost of its own.
const counts = ofCalls.filter(({ name }) => /_tokens$|^cost_|^usage_quality$|^server_tool_requests$/.test(name));

const typeOf = (value: unknown) => {
  if (!Array.isArray(value)) return typeof value;
  return value.some((item) => typeof item === "object") ? "objects" : "strings";
};

/** Reports the members of an object that are not documented, or not as documented. */
function mistakesIn(what: string, object: object, fields: readonly Field[], seen: Set<string>): readonly string[] {
  const values = new Map<string, unknown>(Object.entries(object));
  const missing = fields.filter(({ name, when }) => when.startsWith("always") && !values.has(name));
  const wrong = [...values].flatMap(([name, value]) => {
    seen.add(`${what}.${name}`);
    const field = fields.find((documented) => documented.name === name);
    if (field === undefined) return [`${what} has the field ${name}, which is not documented`];
    const isEmptyList = Array.isArray(value) && value.length === 0;
    return isEmptyList || typeOf(value) === field.type ? [] : [`${what}.${name} is no ${field.type}: ${value}`];
  });
  return [...missing.map(({ name }) => `${what} lacks ${name}`), ...wrong];
}

const callsIn = (lines: readonly Line[]) => lines.filter(({ msg }) => msg === "call");
const attemptsIn = (lines: readonly Line[]) => callsIn(lines).flatMap(({ attempts }) => attempts as Line[]);
const errorsIn = (lines: readonly Line[]) =>
  [...callsIn(lines), ...attemptsIn(lines)].flatMap(({ error }) => (error === undefined ? [] : [error as object]));

let lines: readonly Line[];
let ofWorkers: readonly Line[];
beforeAll(async () => {
  lines = await playLoad();
  ofWorkers = await playWorkers();
}, 120_000);

describe("the log of calls of every kind", () => {
  it("has exactly the documented fields, with their types", () => {
    const seen = new Set<string>();
    const check = (what: string, objects: readonly object[], fields: readonly Field[]) =>
      new Set(objects.flatMap((object) => mistakesIn(what, object, fields, seen)));
    const all = [...lines, ...ofWorkers];
    const found = [
      ...check("call", callsIn(all), [...ofLines, ...ofCalls]),
      ...check("attempt", attemptsIn(all), [...ofAttempts, ...counts]),
      ...check("error", errorsIn(all), ofErrors),
    ];
    expect(found).toEqual([]);
    const documented = [
      ...[...ofLines, ...ofCalls].map(({ name }) => `call.${name}`),
      ...ofAttempts.map(({ name }) => `attempt.${name}`),
      ...ofErrors.map(({ name }) => `error.${name}`),
    ];
    expect(documented.filter((name) => !seen.has(name))).toEqual([]);
  });

  it("has other lines with the documented levels and fields", () => {
    for (const { msg, level, time, worker, ...fields } of [...lines, ...ofWorkers]) {
      if (msg === "call") continue;
      const documented = messages.find(({ message }) => message === msg);
      expect(documented, `${msg} is documented`).toBeDefined();
      expect(documented?.levels).toContain(level);
      expect(documented?.fields).toEqual(expect.arrayContaining(Object.keys(fields)));
      expect(Date.parse(String(time))).not.toBeNaN();
      if (worker !== undefined) expect(worker).toBeTypeOf("number");
    }
  });

  it("has a line for each call, and no key and no text of a prompt or response", () => {
    const stopped = lines.at(-1);
    expect(stopped).toMatchObject({ msg: "stopped", reason: "SIGTERM", calls: callsIn(lines).length });
    const text = JSON.stringify(lines);
    const hidden = [...Object.values(callerKeys), ...Object.values(providerKeys), prompt, answer];
    for (const secret of hidden) expect(text).not.toContain(secret);
    expect(text).toContain("[redacted]");
    expect(text).toContain("[prompt]");
  });

  it("has a line for each request for a method, however it is rejected", () => {
    const rejected = callsIn(lines).filter(({ outcome }) => outcome === "refused");
    const reasons = rejected.map(({ method, protocol, reason }) => `${method} ${protocol} ${reason}`);
    expect(new Set(reasons)).toEqual(
      new Set([
        "CompleteChat grpc INVALID_REQUEST",
        "CompleteChat grpc MODEL_NOT_FOUND",
        "CompleteChat grpc CREDENTIALS_INVALID",
        "CompleteChat grpc CREDENTIALS_MISSING",
        "CompleteChat grpc REQUESTS_LIMITED",
        "CompleteChat grpc REQUEST_TOO_LARGE",
        "openai http INVALID_REQUEST",
        "openai-models http CREDENTIALS_INVALID",
        // GET instead of POST, no content type, and JSON for a stream.
        "openai http METHOD_NOT_FOUND",
        "CompleteChat connect METHOD_NOT_FOUND",
        "CompleteChat connect UNSUPPORTED_ENCODING",
        "StreamChat connect UNSUPPORTED_ENCODING",
        // JSON at the address of gRPC.
        "CompleteChat grpc UNSUPPORTED_ENCODING",
        "unknown connect METHOD_NOT_FOUND",
        "unknown grpc METHOD_NOT_FOUND",
        "StreamChat grpc PROVIDER_RATE_LIMITED",
      ]),
    );
  });

  it("says when each worker and its supervisor begin and end", () => {
    const life = ofWorkers.flatMap(({ msg, worker, reason }) =>
      ["listening", "stopping", "stopped"].includes(String(msg))
        ? [`${worker ?? "-"} ${msg} ${reason ?? ""}`.trim()]
        : [],
    );
    const ofWorker = (worker: number) => [
      ...[`${worker} listening`, `${worker} listening`, `${worker} stopping replaced by another worker`],
      ...[`${worker} stopped replaced by another worker`],
      ...[`${worker} stopping stopped by the supervisor`, `${worker} stopped stopped by the supervisor`],
    ];
    expect([...life].sort()).toEqual(
      [...ofWorker(1), ...ofWorker(2), "- stopping SIGTERM", "- stopped SIGTERM"].sort(),
    );
    expect(life.at(-1)).toBe("- stopped SIGTERM");
  });
});

describe("docs/log.md", () => {
  it("names exactly the messages of the source", () => {
    const sources = globSync("src/**/*.ts", { cwd: root, exclude: ["src/gen/**"] });
    const found = sources.flatMap((path) => messagesIn(readFileSync(join(root, path), "utf8")));
    expect([...new Set(found)].sort()).toEqual(messages.map(({ message }) => message).sort());
  });

  it("explains each field of the other lines", () => {
    const named = new Set(messages.flatMap(({ fields }) => fields));
    expect([...named].sort()).toEqual(ofOthers.map(({ name }) => name).sort());
  });

  const jq = findProgram("jq");
  const commands = blocksOf(page).filter(({ language }) => language === "sh");

  it.skipIf(isMissing("jq", jq, "apt-get install jq"))("has commands that answer its questions", () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, "dragoman.log"), lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
    const id = String(callsIn(lines).at(0)?.id);
    const outputs = commands.map(({ text }) => {
      const { stdout, stderr, status } = spawnSync("sh", ["-c", text], {
        ...{ cwd: folder, encoding: "utf8", env: { PATH: process.env.PATH, ID: id } },
      });
      expect({ stderr, status }).toEqual({ stderr: "", status: 0 });
      return stdout;
    });
    const expected = [
      /"duration_ms":\d/,
      / gone PROVIDER_UNAVAILABLE$/m,
      /"account": "billing",\s+"usd": [\d.e-]+,\s+"calls": 1\b/,
      new RegExp(`"id": "${id}"`),
      /"target":"gone\/model","outcome":"failed","reason":"PROVIDER_UNAVAILABLE".*"code":"ECONNREFUSED"/,
      / team-a chat\.parameters\.temperature chat\.parameters\.n$/m,
      /"msg":"target changed state"/,
    ];
    expect(outputs).toHaveLength(expected.length);
    for (const [index, pattern] of expected.entries()) expect(outputs[index]).toMatch(pattern);
  });
});

/** Returns the messages that a source file can write, up to the first part of a template that differs. */
function messagesIn(source: string): readonly string[] {
  const literal = /"((?:[^"\\\n]|\\.)*)"|`([^`$]*)(?:\$\{[^`]*)?`/.source;
  const calls = /\b(?:log|this\.#options\.log)(?:\.(?:debug|info|warn|error)|\[[^\]]+\])\(/g;
  const direct = [...source.matchAll(calls)].flatMap(({ index }) => {
    const end = endOfCall(source, index);
    const last = [...source.slice(index, end).matchAll(new RegExp(`(?:\\(|,\\s*)(?:${literal}),?\\s*\\)$`, "g"))].at(
      -1,
    );
    return last === undefined ? [] : [last[1] ?? last[2] ?? ""];
  });
  // Those of sampled lines, and those of a name.
  const isSampled = /\b(?:SampledLog|createLog)\b/.test(source);
  const named = isSampled
    ? [...source.matchAll(new RegExp(`\\b(?:message|msg|back|lost)(?::| =) (?:${literal})`, "g"))]
    : [];
  const chosen = isSampled ? [...source.matchAll(/const message = [^;]*? \? "([^"]+)" : "([^"]+)"/g)] : [];
  return [
    ...direct,
    ...named.map(([, text, template]) => text ?? template ?? ""),
    ...chosen.flatMap(([, a, b]) => [a ?? "", b ?? ""]),
  ];
}

/** Returns the index after the parenthesis that ends a call. */
function endOfCall(source: string, start: number): number {
  let depth = 0;
  for (let at = source.indexOf("(", start); at < source.length; at++) {
    if (source[at] === "(") depth++;
    if (source[at] === ")" && --depth === 0) return at + 1;
  }
  return source.length;
}
