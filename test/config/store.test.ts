import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { describeConfig } from "../../src/config/describe.ts";
import { removed } from "../../src/config/described.ts";
import { load, problemsOf, temporaryFolder } from "./harness.ts";

const problems = (store: string, folder = temporaryFolder()) =>
  problemsOf(() => load(`store: { ${store} }`, {}, folder)).map(
    ({ path, problem, fix }) => `${path}: ${problem}; ${fix}`,
  );

describe("the section store", () => {
  it("reads every setting, with paths relative to the file", () => {
    const folder = temporaryFolder();
    const { store } = load(
      `store: { database: "sqlite:db/a b.db", outbox: /tmp/out, durability: disk, on_full: refuse, max_outbox_size: 2TiB,
        retention: { calls: 90d, hours: 0 },
        sinks: { otlp: { endpoint: "http://127.0.0.1:4318/", headers: { X-Key: secret } } } }`,
      {},
      folder,
    );
    expect(store).toEqual({
      isWritten: true,
      database: { kind: "sqlite", name: `sqlite:${folder}/db/a b.db`, path: `${folder}/db/a b.db` },
      outbox: "/tmp/out",
      durability: "disk",
      onFull: "refuse",
      maxOutboxBytes: 2 * 2 ** 40,
      retention: { callsMs: 90 * 86_400_000, hoursMs: 0 },
      sinks: { otlp: { endpoint: "http://127.0.0.1:4318", headers: { "x-key": "secret" } } },
    });
  });

  it("knows a PostgreSQL database by host, port and name alone", () => {
    const name = (url: string) => load(`store: { database: "${url}" }`).store.database.name;
    expect(name("postgres://me:pa%40ss@db.example/dragoman?sslmode=require")).toBe(
      "postgres://db.example:5432/dragoman",
    );
    expect(name("postgresql://other@db.example:5432/dragoman")).toBe("postgres://db.example:5432/dragoman");
    expect(name("postgres:///dragoman?host=/run/postgresql")).toBe("postgres:///run/postgresql:5432/dragoman");
  });

  it.each([
    "mysql://host/db",
    "sqlite:",
    "sqlite::memory:",
    "sqlite:///data/db",
    "postgres://host",
    "postgres:///db",
    "postgres://me:100%@host/db",
    "data/dragoman.db",
  ])("rejects the database %s without quoting it", (url) => {
    const [problem = "", ...more] = problems(`database: "${url}"`);
    expect(more).toEqual([]);
    expect(problem).toMatch(/^store\.database: is not the URL of a database; write sqlite:path/);
    expect(problem).not.toContain(url === "sqlite:" ? "''" : url);
  });

  it("names a database file that cannot be one", () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, "folder"));
    writeFileSync(join(folder, "text"), "not a database at all");
    writeFileSync(join(folder, "empty"), "");
    const fix = "give the path of a SQLite database, or of a new file";
    expect(problems('database: "sqlite:folder"', folder)).toEqual([`store.database: is a folder; ${fix}`]);
    expect(problems('database: "sqlite:text"', folder)).toEqual([`store.database: is not a SQLite database; ${fix}`]);
    expect(problems('database: "sqlite:empty"', folder)).toEqual([]);
    new DatabaseSync(join(folder, "real")).exec("create table t (a)");
    expect(problems('database: "sqlite:real"', folder)).toEqual([]);
  });

  it("names what is wrong in other values, and what to write", () => {
    expect(
      problems(
        "durability: maybe, on_full: block, max_outbox_size: 0, retention: { calls: month, hours: 30 }, sinks: { otlp: {} }",
      ),
    ).toEqual([
      'store.durability: "maybe" is not a valid value; write one of process, disk, async',
      'store.on_full: "block" is not a valid value; write one of drop, refuse',
      expect.stringMatching(/^store\.max_outbox_size: 0 is not a size; write a size such as 512MiB/),
      expect.stringMatching(
        /^store\.retention\.calls: "month" is not a duration with a unit; write a duration such as 30d/,
      ),
      expect.stringMatching(/^store\.retention\.hours: 30 is not a duration with a unit/),
      expect.stringMatching(/^store\.sinks\.otlp\.endpoint: is missing; write it as https/),
    ]);
  });

  it("reports a folder that cannot be written, but only if the file has the section", () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, "data"), "a file");
    expect(problems("durability: process", folder)).toEqual([
      `store.outbox: cannot be written: a folder in its path is a file (ENOTDIR); give a folder that Dragoman can write, absolute or in ${folder}`,
      `store.database: cannot be written: a folder in its path is a file (ENOTDIR); give the path of a file in a folder that Dragoman can write, absolute or in ${folder}`,
    ]);
    expect(load("", {}, folder).store).toMatchObject({ isWritten: false, outbox: resolve("data/outbox") });
  });

  it.skipIf(process.getuid?.() === 0)("reports a folder without the permission to write", () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, "data"));
    chmodSync(join(folder, "data"), 0o500);
    expect(problems("outbox: data/deep/outbox, database: 'sqlite:a.db'", folder)).toEqual([
      expect.stringContaining("store.outbox: cannot be written: the permission is missing (EACCES)"),
    ]);
  });

  it("hides passwords and headers when it describes the configuration", () => {
    const yaml = `store: { database: "postgres://me:sk-secret@host/db?sslpassword=sk-secret&sslmode=require",
      sinks: { otlp: { endpoint: "https://collector", headers: { authorization: sk-secret } } } }`;
    const shown = describeConfig(load(yaml));
    expect(shown).not.toContain("sk-secret");
    expect(parse(shown).store).toMatchObject({
      database: `postgres://me:${removed}@host/db?sslpassword=${removed}&sslmode=require`,
      sinks: { otlp: { endpoint: "https://collector", headers: { authorization: removed } } },
    });
  });
});
