import { z } from "zod";
import { type Follower, reloadRules } from "../../src/config/reload-rules.ts";
import { fileSchema } from "../../src/config/schema.ts";
import { dialects } from "../../src/providers/registry.ts";
import { modelKeys } from "./model-keys.ts";
import { serviceKeys } from "./service-keys.ts";

const introduction = `# Configuration

<!-- \`npm run generate\` writes this page from src/config/ and scripts/reference/. -->

Every key of the configuration file. [Configuration](../configuration.md) explains the file and the variables, and
[\`dragoman.example.yaml\`](../../dragoman.example.yaml) is a file with all keys. A key is optional unless its default is
"required". In values, \`\${NAME}\` is an environment variable, and \`\${NAME:-text}\` has a default.

| value | what to write |
|---|---|
| text | a string, not empty; in quotes if it looks like a number |
| duration | such as \`500ms\`, \`30s\`, \`10m\` or \`1h\`, or a number of milliseconds, up to 2147483647 |
| size | such as \`512KiB\` or \`16MiB\`, or a number of bytes; at least 1 byte, less than 2 GiB |
| share | from 0 to 1, such as \`0.85\`, or a percentage, such as \`85%\` |
| number | a whole number, up to 2147483647 unless the table has another bound |
| model parameter | a field of requests by path, such as \`parameters.temperature\`, as in \`Model.supported_parameters\` |

The last column says what follows a changed value when Dragoman [reads the file again](../operations.md#reload).
`;

/** Sections with the same keys as another one, which the page lists once. */
export const sameAs: Readonly<Record<string, string>> = {
  "http.tls": "grpc.tls",
  "authentication.keys[].models": "accounts.<id>.models",
  "authentication.keys[].expires": "accounts.<id>.expires",
  "authentication.keys[].limits": "accounts.<id>.limits",
  "authentication.keys[].budgets": "accounts.<id>.budgets",
};

/** Defaults that depend on the machine. Their meaning says what they are. */
const ofTheMachine = new Set(["local.threads"]);

const followers: Readonly<Record<Follower, string>> = {
  calls: "next call",
  connections: "next connection",
  process: "at once",
  restart: "restart",
};

/** Key of a table. */
interface Row {
  readonly path: string;
  readonly value: string;
  readonly fallback: string;
}

/** Returns docs/reference/configuration.md. Throws if a key has no meaning, or a meaning no key. */
export function configurationPage(): string {
  const meanings = new Map(Object.entries({ ...serviceKeys, ...modelKeys }));
  const take = (path: string): string => {
    const meaning = meanings.get(path);
    if (meaning === undefined) throw new Error(`${path} has no meaning; write it in scripts/reference/`);
    used.add(path);
    return meaning;
  };
  const used = new Set<string>();
  const text = [introduction];
  for (const [name, schema] of Object.entries(fileSchema.shape)) {
    text.push(`\n## ${name}\n\n${take(name)}\n`);
    const rows = rowsOf(schema, name).filter(({ path }) => !isOfModels(path));
    if (rows.length === 0) text.push(`\nValue: ${formOf(schema)}. Followed by the ${followerOf(name)}.\n`);
    else text.push(tableHead("followed by"), ...rows.map((row) => rowText(row, take, followerOf(row.path))));
    if (name === "providers") text.push(...optionTables(take));
  }
  const unknown = [...meanings.keys()].filter((path) => !used.has(path));
  if (unknown.length > 0) throw new Error(`no key of the configuration: ${unknown.join(", ")}`);
  return text.join("");
}

/** Whether a key of deployments is one that models have too. */
const isOfModels = (path: string): boolean =>
  path.startsWith("deployments.<id>.") && path.replace("deployments", "models") in modelKeys;

function optionTables(take: (path: string) => string): readonly string[] {
  return dialects.flatMap(({ name, optionsSchema }) => {
    if (optionsSchema === undefined) return [];
    const rows = rowsOf(optionsSchema, name).map((row) => rowText(row, take));
    return [`\n### Options of ${name}\n`, tableHead(), ...rows];
  });
}

const tableHead = (...more: readonly string[]): string => {
  const titles = ["key", "value", "default", "meaning", ...more];
  return `\n| ${titles.join(" | ")} |\n|${"---|".repeat(titles.length)}\n`;
};

function rowText({ path, value, fallback }: Row, take: (path: string) => string, ...more: readonly string[]): string {
  const other = sameAs[path];
  const meaning = other === undefined ? take(path) : `As \`${other}\`.`;
  const cells = [`\`${path}\``, value, fallback, meaning, ...more];
  return `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |\n`;
}

/** Follower of the longest rule that begins a path. */
function followerOf(path: string): string {
  const [rule] = Object.entries(reloadRules)
    .filter(([key]) => path === key || path.startsWith(`${key}.`) || path.startsWith(`${key}[`))
    .sort(([a], [b]) => b.length - a.length);
  return rule === undefined ? "" : followers[rule[1].follows];
}

/** Rows of all keys below a path. Entries of records are `<id>` (providers: `<name>`), those of lists `[]`. */
function rowsOf(schema: z.core.$ZodType, path: string): readonly Row[] {
  const { inner } = unwrap(schema);
  const { def } = (inner as z.core.$ZodTypes)._zod;
  switch (def.type) {
    case "object":
      // The keys of capabilities are fields of the proto, which the contract lists.
      if (path.endsWith(".capabilities")) return [];
      return Object.entries(def.shape).flatMap(([key, value]) => rowsWith(value, `${path}.${key}`));
    case "record":
      return rowsOf(def.valueType, `${path}.<${path === "providers" ? "name" : "id"}>`);
    case "array":
      return rowsOf(def.element, `${path}[]`);
    default:
      return [];
  }
}

function rowsWith(schema: z.core.$ZodType, path: string): readonly Row[] {
  const { isOptional, fallback } = unwrap(schema);
  const value = formOf(schema);
  const none = isOptional ? "" : "required";
  const hasDefault = fallback !== undefined && !ofTheMachine.has(path);
  const row = { path, value, fallback: hasDefault ? defaultText(fallback, value) : none };
  return path in sameAs ? [row] : [row, ...rowsOf(schema, path)];
}

interface Unwrapped {
  readonly inner: z.core.$ZodType;
  readonly isOptional: boolean;
  readonly fallback: unknown;
}

/** Removes what makes a schema optional, or gives it a default. */
function unwrap(schema: z.core.$ZodType, isOptional = false, fallback?: unknown): Unwrapped {
  const { def } = (schema as z.core.$ZodTypes)._zod;
  switch (def.type) {
    case "optional":
      return unwrap(def.innerType, true, fallback);
    case "prefault":
    case "default":
      return unwrap(def.innerType, true, def.defaultValue);
    case "pipe":
      // A check before a section, or a value that a function reads.
      if (hasKeys(def.in)) return unwrap(def.in, isOptional, fallback);
      if (hasKeys(def.out)) return unwrap(def.out, isOptional, fallback);
      return { inner: schema, isOptional, fallback };
    default:
      return { inner: schema, isOptional, fallback };
  }
}

const hasKeys = (schema: z.core.$ZodType): boolean => schema._zod.def.type === "object";

/** What can be written: the words of the error message for a wrong value. */
function formOf(schema: z.core.$ZodType): string {
  const { inner } = unwrap(schema);
  const { def } = (inner as z.core.$ZodTypes)._zod;
  if (def.type === "object") return "section";
  if (def.type === "array") return `list: ${hasKeys(unwrap(def.element).inner) ? "sections" : formOf(def.element)}`;
  if (def.type === "record") return "mapping";
  // No value of a file is a symbol.
  const [issue] = z.safeParse(inner, Symbol("wrong")).error?.issues ?? [];
  const fix = issue?.code === "custom" ? String(issue.params?.fix ?? "") : "";
  const short = shortValues.find(([start]) => fix.startsWith(start));
  return short?.[1] ?? (fix.replace(/^write (it as |one of |an? |the )?/, "").replace(/ to 2147483647$/, "") || "any");
}

/** Values that have a row in the introduction, by the beginning of their error message. */
const shortValues: readonly (readonly [start: string, name: string])[] = [
  ["write a non-empty string", "text"],
  ["write a duration such as 500ms, 30s or 10m,", "duration"],
  ["write a size such as 512KiB or 16MiB,", "size"],
  ["write a number from 0 to 1 or a percentage", "share"],
  ["write a number above 0 and up to 1 or a percentage", "share above 0"],
  ["correct the value, or the variable", "API key"],
  ["write one of parameters.temperature,", "model parameter"],
];

function defaultText(fallback: unknown, value: string): string {
  if (typeof fallback === "object")
    return Array.isArray(fallback) && fallback.length > 0 ? code(fallback.join(", ")) : "";
  const isDuration = typeof fallback === "number" && fallback >= 1_000 && value.includes("duration");
  return code(isDuration ? `${fallback / 1_000}s` : String(fallback));
}

const code = (text: string): string => `\`${text}\``;
