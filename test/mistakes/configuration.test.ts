import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { loadConfigFor } from "../../src/cli/load-config.ts";
import { ConfigError } from "../../src/config/config-error.ts";
import { testFolder } from "../support/databases.ts";
import { expectPlain } from "./laws.ts";

const dollar = "$";
const keyProblem =
  "providers.openai.api_key: is not a valid API key: it is empty, in quotes, a $NAME without braces, or has spaces or non-ASCII characters; correct the value, or the variable that sets it";
const route = (target: string) => `routes: { a: { tiers: [{ targets: [${target}] }] } }`;

interface Row {
  readonly yaml: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly problems: readonly string[];
}

const rows: Readonly<Record<string, Row>> = {
  "a misspelled section": { yaml: "grcp: {}", problems: ["grcp: is not a known key; did you mean `grpc`?"] },
  "a key in camel case": {
    yaml: "limits: { maxConnections: 4 }",
    problems: ["limits.maxConnections: is not a known key; did you mean `max_connections`?"],
  },
  "a word in place of a section": {
    yaml: "grpc: on",
    problems: ["grpc: is not a mapping; write a mapping with the keys address, tls, reflection"],
  },
  "a key twice": {
    yaml: "workers: 1\nworkers: 2",
    problems: ["FILE:2:1: is not valid YAML (duplicate key); correct this line or the one above it"],
  },
  "a tab": {
    yaml: "grpc:\n\taddress: a",
    problems: ["FILE:2:1: is not valid YAML (tab as indent); correct this line or the one above it"],
  },
  "a variable that is not set": {
    yaml: `providers: { openai: { api_key: "${dollar}{NOBODY}" } }`,
    problems: [`providers.openai.api_key: the variable NOBODY is not set; set it, or write ${dollar}{NOBODY:-default}`],
  },
  "a variable without braces": { yaml: "providers: { openai: { api_key: $NOBODY } }", problems: [keyProblem] },
  "a key that kept its quotes": {
    yaml: `providers: { openai: { api_key: "${dollar}{QUOTED}" } }`,
    environment: { QUOTED: '"sk-secret"' },
    problems: [keyProblem],
  },
  "an empty key": { yaml: 'providers: { openai: { api_key: "" } }', problems: [keyProblem] },
  "a wrong unit": {
    yaml: "limits: { max_request_size: 16mb }",
    problems: [
      'limits.max_request_size: "16mb" is not a size; write a size such as 512KiB or 16MiB, or a number of bytes; at least 1 byte, less than 2 GiB',
    ],
  },
  "a number of days without its unit": {
    yaml: "store: { retention: { calls: 30 } }",
    problems: [
      "store.retention.calls: 30 is not a duration with a unit; write a duration such as 30d, 12h or 90m, or 0 to keep everything",
    ],
  },
  "a route to a route": {
    yaml: route("{ model: a }"),
    problems: [
      "routes.a.tiers[0].targets[0].model: is a route, and a target must be a model; write its targets instead",
    ],
  },
  "a route to an unknown provider": {
    yaml: route("{ model: opnai/gpt-4o }"),
    problems: [
      "routes.a.tiers[0].targets[0].model: is neither a model in the catalog nor provider/model with a known provider; did you mean `openai/gpt-4o`?",
    ],
  },
  "an unknown dialect": {
    yaml: "providers: { mine: { dialect: opnai, base_url: 'http://a/v1' } }",
    problems: ["providers.mine.dialect: is not a known dialect; did you mean `openai`?"],
  },
  "a price with its currency": {
    yaml: "prices: { openai/gpt-4o: { input: $2.50, output: '10' } }",
    problems: [
      'prices.openai/gpt-4o.input: "$2.50" is not a price; write US dollars per million tokens as a quoted decimal number, such as "2.50"',
    ],
  },
  "a folder in place of a certificate": {
    yaml: "grpc: { tls: { certificate: ., key: . } }",
    problems: [
      "grpc.tls.certificate: cannot be read: it is a folder (EISDIR); give the path of a PEM file, absolute or relative to FOLDER",
      "grpc.tls.key: cannot be read: it is a folder (EISDIR); give the path of a PEM file, absolute or relative to FOLDER",
    ],
  },
  "an address without a port": {
    yaml: "grpc: { address: localhost }",
    problems: [
      'grpc.address: "localhost" is not an address; write host:port, such as 127.0.0.1:8080, localhost:8080 or [::1]:8080',
    ],
  },
};

it.each(Object.entries(rows))("the configuration with %s names the key and what to write", async (_, row) => {
  const folder = testFolder();
  const file = join(folder, "dragoman.yaml");
  writeFileSync(file, row.yaml);
  const error = await loadConfigFor(file, row.environment ?? {}).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  const [, ...lines] = error instanceof ConfigError ? error.message.split("\n  ") : [];
  expect(lines.map((line) => line.replaceAll(file, "FILE").replaceAll(folder, "FOLDER"))).toEqual(row.problems);
  for (const line of lines) expectPlain(line.replace(/\?$/, ""), ["sk-secret"]);
});
