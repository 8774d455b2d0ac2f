import { toJsonString } from "@bufbuild/protobuf";
import { type Model, ModelCapabilitiesSchema, ModelSchema } from "../../gen/dragoman/v1/model_pb.js";
import { ModelService } from "../../gen/dragoman/v1/model_service_pb.js";
import { nearest } from "../../nearest.ts";
import { defineCommand } from "../command.ts";
import { UsageError } from "../failures.ts";
import { type Connection, withService } from "../remote/connection.ts";
import { connectionOptions } from "../remote/connection-options.ts";
import { allPages } from "../remote/pages.ts";
import { stylesFor } from "../styles.ts";
import { escapeControls } from "../terminal-text.ts";
import { modelTable } from "./model-table.ts";

const capabilities = ModelCapabilitiesSchema.fields.map(({ name }) => name);

/** Short names of capabilities, as the table has them. */
const shortNames: Readonly<Record<string, string>> = {
  schema: "json_schema",
  image: "image_input",
  audio: "audio_input",
  document: "document_input",
};

export const command = defineCommand({
  description: `Lists the models and routes of a running service, with their context window, their prices in
US dollars per million tokens, and what they support.`,
  options: {
    provider: { type: "string", value: "<name>", help: "only models of this provider" },
    with: {
      type: "string",
      value: "<names>",
      help: "only models with these capabilities, with commas, such as\ntools,image,reasoning",
    },
    account: { type: "string", value: "<id>", help: "account for which to list; default: that of the API key" },
    json: { type: "boolean", help: "print JSON: one Model per line" },
    ...connectionOptions,
  },
  rest: ["text", "only models with these texts in their name or their aliases; default: all"],
  examples: [
    ["Find a model", "models sonnet"],
    ["List models of a provider that take images and tools", "models --provider openai --with image,tools"],
    ["Print the id of each model", "models --json | jq -r .id"],
  ],
  async run(values, _, shell, texts) {
    const required = readCapabilities(values.with);
    const { stdout, stderr, environment } = shell;
    const models = await withService(values, shell, (connection) => listModels(connection, values.provider), {
      timeoutMs: 30_000,
      account: values.account,
    });
    const found = models.filter((model) => hasTexts(model, texts) && hasCapabilities(model, required));
    if (found.length === 0) {
      const which = values.provider === undefined ? `none of ${models.length} models matches` : "no model matches";
      stderr.write(`dragoman: ${which}; the service lists those of its providers\n`);
      return;
    }
    if (values.json) {
      stdout.write(found.map((model) => `${escapeControls(toJsonString(ModelSchema, model))}\n`).join(""));
      return;
    }
    const [titles = "", ...lines] = modelTable(found, stdout.columns);
    stdout.write(`${[stylesFor(stdout, environment).bold(titles), ...lines].join("\n")}\n`);
  },
});

function listModels({ client, callOptions }: Connection, provider = ""): Promise<readonly Model[]> {
  return allPages(async (page) => {
    const { models, nextPageToken } = await client(ModelService).listModels({ provider, ...page }, callOptions());
    return { items: models, nextPageToken };
  });
}

/** Reads names of capabilities, as in the proto or with hyphens. Throws UsageError. */
function readCapabilities(list: string | undefined): readonly string[] {
  return (list?.split(",") ?? []).map((item) => {
    const written = item.trim().replaceAll("-", "_");
    const name = shortNames[written] ?? written;
    if (capabilities.includes(name)) return name;
    const near = nearest(name, [...capabilities, ...Object.keys(shortNames)]);
    const fix = near.length > 0 ? `did you mean ${near.join(" or ")}?` : `write some of ${capabilities.join(", ")}`;
    throw new UsageError(`--with: unknown capability ${JSON.stringify(item)}; ${fix}`);
  });
}

function hasTexts({ id, aliases, displayName }: Model, texts: readonly string[]): boolean {
  const names = [id, displayName, ...aliases].map((name) => name.toLowerCase());
  return texts.every((text) => names.some((name) => name.includes(text.toLowerCase())));
}

function hasCapabilities(model: Model, required: readonly string[]): boolean {
  const { capabilities: has } = model;
  const fields = ModelCapabilitiesSchema.fields.filter(({ name }) => required.includes(name));
  const values: Readonly<Record<string, unknown>> = { ...has };
  return fields.every(({ localName }) => values[localName] === true);
}
