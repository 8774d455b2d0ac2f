import { expect, it } from "vitest";
import { checkChat, planChat } from "../../src/calls/plan.ts";
import { CompleteChatRequestSchema } from "../../src/gen/dragoman/v1/chat_service_pb.js";
import { createCatalog } from "../../src/models/catalog.ts";
import { createEcho } from "../../src/providers/echo/index.ts";
import { echoModels } from "../../src/providers/echo/models.ts";
import { localAdaptations } from "../../src/providers/local/adaptations.ts";
import { ask } from "../support/requests.ts";

const catalog = createCatalog(echoModels, ["echo"]);

/** Echo with the limits of the local engine, whose grammar enforces a part of JSON Schema. */
const adapter = { ...createEcho(), checkSupport: localAdaptations };

it.each([
  [
    "is checked here when the dialect does not enforce all of it",
    { properties: { a: { type: "number", multipleOf: 2 } } },
    true,
  ],
  ["is left to the dialect when it enforces all of it", {}, false],
  [
    "is not checked here when that could be endless",
    { properties: { a: { type: "string", pattern: "(a+)+" } } },
    false,
  ],
])("a JSON Schema %s", async (_, more, checks) => {
  const schemaJson = JSON.stringify({ type: "object", properties: { a: { type: "string" } }, ...more });
  const chat = ask("echo/echo", "JSON", {
    outputFormat: { format: { case: "jsonSchema", value: { name: "a", schemaJson } } },
  });
  const context = { account: "", streamed: false, signal: new AbortController().signal };
  const request = { $typeName: "dragoman.v1.CompleteChatRequest", chat } as const;
  const checked = checkChat(CompleteChatRequestSchema, request, catalog, context);
  const plan = await planChat(checked, { model: checked.model, adapter }, context);
  expect(plan.checksSchema).toBe(checks);
  expect(plan.outputFormat).toEqual(chat.outputFormat);
  expect(plan.warnings.map(({ field }) => field)).toEqual(Object.keys(more).length > 0 ? ["output_format"] : []);
});
