import type { z } from "zod";
import { headers } from "./headers.ts";
import { matching } from "./json-forms.ts";
import { ageForms, parseAge, parseStorageSize, storageSizeForms } from "./quantities.ts";
import { baseUrl, choice, leaf, section, text } from "./rules.ts";
import { Secret } from "./secret.ts";

/** Database as it is written: the path of a file, or a URL that can have a password. */
export type WrittenDatabase =
  | { readonly kind: "sqlite"; readonly path: string }
  | { readonly kind: "postgres"; readonly url: Secret };

function parseDatabase(value: unknown): WrittenDatabase | undefined {
  if (typeof value !== "string") return undefined;
  const [, path] = /^sqlite:(?!\/\/)(.+)$/.exec(value) ?? [];
  if (path !== undefined) return path === ":memory:" ? undefined : { kind: "sqlite", path };
  const url = URL.parse(value);
  if (url === null || !/^postgres(ql)?:$/.test(url.protocol)) return undefined;
  const hasHost = url.hostname !== "" || url.searchParams.has("host");
  return hasHost && url.pathname.length > 1 && isDecodable(url.password)
    ? { kind: "postgres", url: new Secret(value) }
    : undefined;
}

/** Whether a part of a URL is UTF-8 with percent signs, such as `p%40ss`, and not `100%`. */
function isDecodable(part: string): boolean {
  try {
    decodeURIComponent(part);
    return true;
  } catch {
    return false;
  }
}

const database = leaf({
  parse: parseDatabase,
  problem: "is not the URL of a database",
  fix: "write sqlite:path/to/file.db or postgres://user:password@host:5432/database (% in the password as %25)",
  forms: [matching("^(?:sqlite:|postgres(?:ql)?://).+$", "sqlite:data/dragoman.db")],
});

const age = leaf({
  // A number without a unit is meant as days, and would be milliseconds.
  parse: (value) => (/^[1-9]\d*$/.test(String(value)) ? undefined : parseAge(value)),
  problem: "is not a duration with a unit",
  fix: "write a duration such as 30d, 12h or 90m, or 0 to keep everything",
  forms: ageForms,
  shown: true,
});

const storageSize = leaf({
  parse: (value) => parseStorageSize(value) || undefined,
  problem: "is not a size",
  fix: "write a size such as 512MiB, 1GiB or 2TiB, or a number of bytes; at least 1 byte, up to 1 PiB",
  forms: storageSizeForms,
  shown: true,
});

/** The section `store` of the file. */
export const storeSchema = section({
  database: database.prefault("sqlite:data/dragoman.db"),
  outbox: text.prefault("data/outbox"),
  durability: choice("process", "disk", "async").prefault("process"),
  on_full: choice("drop", "refuse").prefault("drop"),
  max_outbox_size: storageSize.prefault("1GiB"),
  retention: section({ calls: age.prefault("30d"), hours: age.prefault("400d") }).prefault({}),
  sinks: section({
    otlp: section({ endpoint: baseUrl, headers: headers.prefault({}) }).optional(),
  }).prefault({}),
});

export type StoreSection = z.output<typeof storeSchema>;
