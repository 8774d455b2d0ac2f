import { accessSync, closeSync, constants, existsSync, openSync, readSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { describeSystemCode, systemCode } from "../system-error.ts";
import type { DatabaseSettings, StoreSettings } from "./config.ts";
import type { ReportProblem } from "./config-error.ts";
import { HiddenText, removed } from "./described.ts";
import { formatAge, formatStorageSize } from "./quantities.ts";
import type { StoreSection, WrittenDatabase } from "./store-schema.ts";

interface StoreContext {
  /** Whether the file has the section. */
  readonly isWritten: boolean;
  /** Folder of the file. */
  readonly folder: string;
  /** Whether the value at a path has been reported. */
  readonly isWrong: (path: string) => boolean;
}

/**
 * Resolves the section `store`. If the file has it, its paths are relative to the file, and a folder that cannot be
 * written is reported. Otherwise the paths are relative to the working directory.
 */
export function resolveStore(
  section: StoreSection,
  { isWritten, folder: fileFolder, isWrong }: StoreContext,
  report: ReportProblem,
): StoreSettings {
  const folder = isWritten ? fileFolder : resolve();
  const database = resolveDatabase(section.database, folder);
  const outbox = resolve(folder, section.outbox);
  const requireFolder = (key: string, path: string, fix: string): void => {
    if (!isWritten || isWrong(`store.${key}`)) return;
    const code = obstacleTo(path);
    if (code !== undefined) {
      report(`store.${key}`, `cannot be written: ${describeSystemCode(code)}`, `${fix}, absolute or in ${folder}`);
    }
  };
  requireFolder("outbox", outbox, "give a folder that Dragoman can write");
  if (database.kind === "sqlite") {
    requireFolder("database", dirname(database.path), "give the path of a file in a folder that Dragoman can write");
    const problem = isWritten && !isWrong("store.database") ? problemOfFile(database.path) : undefined;
    if (problem !== undefined)
      report("store.database", problem, "give the path of a SQLite database, or of a new file");
  }
  const { durability, on_full: onFull, max_outbox_size: maxOutboxBytes, retention, sinks } = section;
  return {
    isWritten,
    database,
    outbox,
    durability,
    onFull,
    maxOutboxBytes,
    retention: { callsMs: retention.calls, hoursMs: retention.hours },
    sinks: { otlp: sinks.otlp },
  };
}

/** Whether the database may have API keys: the file names it, or somebody has created the default one. */
export function mayHaveKeys({ isWritten, database }: StoreSettings): boolean {
  return isWritten || (database.kind === "sqlite" && existsSync(database.path));
}

function resolveDatabase(written: WrittenDatabase, folder: string): DatabaseSettings {
  if (written.kind === "sqlite") {
    const path = resolve(folder, written.path);
    return { kind: "sqlite", name: `sqlite:${path}`, path };
  }
  const { hostname, port, pathname, searchParams } = new URL(written.url.reveal());
  const host = hostname || (searchParams.get("host") ?? "");
  return { kind: "postgres", name: `postgres://${host}:${port || "5432"}${pathname}`, url: written.url };
}

/** Returns the address of a database with its password, which the settings hide. */
export function addressOf(
  settings: DatabaseSettings,
): { readonly kind: "sqlite"; readonly path: string } | { readonly kind: "postgres"; readonly url: string } {
  return settings.kind === "sqlite"
    ? { kind: "sqlite", path: settings.path }
    : { kind: "postgres", url: settings.url.reveal() };
}

/** Returns the error code that a write to the folder, or its creation, would have. Undefined: none. */
function obstacleTo(folder: string): string | undefined {
  try {
    if (!statSync(folder).isDirectory()) return "ENOTDIR";
    accessSync(folder, constants.W_OK | constants.X_OK);
    return undefined;
  } catch (error) {
    const code = systemCode(error);
    return code === "ENOENT" && dirname(folder) !== folder ? obstacleTo(dirname(folder)) : code;
  }
}

/** Returns what is wrong with an existing database file. Undefined: nothing, or there is none. */
function problemOfFile(path: string): string | undefined {
  try {
    const stats = statSync(path, { throwIfNoEntry: false });
    if (stats === undefined) return undefined;
    if (!stats.isFile()) return stats.isDirectory() ? "is a folder" : "is not a regular file";
    accessSync(path, constants.R_OK | constants.W_OK);
    return stats.size === 0 || startOf(path).equals(sqliteHeader) ? undefined : "is not a SQLite database";
  } catch (error) {
    const code = systemCode(error);
    // The folder has been reported.
    return code === "ENOTDIR" ? undefined : `cannot be read and written: ${describeSystemCode(code)}`;
  }
}

/** https://sqlite.org/fileformat.html, section 1.3 */
const sqliteHeader = Buffer.from("SQLite format 3\0");

function startOf(path: string): Buffer {
  const file = openSync(path, "r");
  try {
    const bytes = Buffer.alloc(sqliteHeader.length);
    readSync(file, bytes);
    return bytes;
  } finally {
    closeSync(file);
  }
}

/** Describes the store as the section `store` of the file, without secrets. */
export function describeStore(store: StoreSettings) {
  const { otlp } = store.sinks;
  const headers = Object.keys(otlp?.headers ?? {}).map((name) => [name, new HiddenText()]);
  return {
    database: describeDatabase(store.database),
    outbox: store.outbox,
    durability: store.durability,
    on_full: store.onFull,
    max_outbox_size: formatStorageSize(store.maxOutboxBytes),
    retention: { calls: formatAge(store.retention.callsMs), hours: formatAge(store.retention.hoursMs) },
    sinks: { otlp: otlp && { endpoint: otlp.endpoint, headers: Object.fromEntries(headers) } },
  };
}

function describeDatabase(database: DatabaseSettings): string | HiddenText {
  if (database.kind === "sqlite") return database.name;
  const url = new URL(database.url.reveal());
  const secrets = [...url.searchParams.keys()].filter((name) => /password/i.test(name));
  if (url.password === "" && secrets.length === 0) return url.href;
  if (url.password !== "") url.password = mark;
  for (const name of secrets) url.searchParams.set(name, mark);
  return new HiddenText(undefined, url.href.replaceAll(mark, removed));
}

/** Stands for a password while a URL is formatted, which would encode `${REMOVED}`. */
const mark = "REMOVED-PASSWORD";
