import { create } from "@bufbuild/protobuf";
import { expect, it } from "vitest";
import { checkRequest, checkTarget } from "../../src/calls/check-chat.ts";
import { planChat } from "../../src/calls/plan.ts";
import { Role } from "../../src/gen/dragoman/v1/message_pb.js";
import { ModelCapabilitiesSchema } from "../../src/gen/dragoman/v1/model_pb.js";
import { createCatalog } from "../../src/models/catalog.ts";
import { profiles } from "../../src/profiles/profiles.ts";
import { createEcho } from "../../src/providers/echo/index.ts";
import { echoModels } from "../../src/providers/echo/models.ts";
import { localAdaptations } from "../../src/providers/local/adaptations.ts";
import { counting } from "../support/counting.ts";
import { textsOf } from "../support/planning.ts";
import { ask } from "../support/requests.ts";

const catalog = createCatalog(echoModels, ["echo"]);

/** Echo with the limitations of the local engine, whose grammar enforces only part of JSON Schema. */
const adapter = { ...createEcho(), checkSupport: localAdaptations };

const context = {
  account: "",
  holder: "account:a",
  streamed: false,
  maxValues: 1000,
  counting: counting.limits,
  signal: new AbortController().signal,
};

it.each([
  [
    "validates the response if the adapter enforces only part of the JSON Schema",
    { properties: { a: { type: "number", multipleOf: 2 } } },
    true,
  ],
  ["does not validate the response if the adapter enforces the whole JSON Schema", {}, false],
  [
    "validates the response against a pattern, for a limited time",
    { properties: { a: { type: "string", pattern: "(a+)+" } } },
    true,
  ],
  [
    "does not validate the response if the schema has a pattern that is no regular expression",
    { properties: { a: { type: "string", pattern: "(" } } },
    false,
  ],
])("%s", async (_, more, checks) => {
  const schemaJson = JSON.stringify({ type: "object", properties: { a: { type: "string" } }, ...more });
  const chat = ask("echo/echo", "JSON", {
    outputFormat: { format: { case: "jsonSchema", value: { name: "a", schemaJson } } },
  });
  const request = { $typeName: "dragoman.v1.CompleteChatRequest", chat } as const;
  const model = catalog.resolve(chat.model);
  const checked = checkTarget(checkRequest(request, [], context.maxValues), model, undefined, context);
  const plan = await planChat(checked, { model, adapter }, context);
  expect(plan.checksSchema).toBe(checks);
  expect(plan.outputFormat).toEqual(chat.outputFormat);
  expect(plan.warnings.map(({ field }) => field)).toEqual(Object.keys(more).length > 0 ? ["output_format"] : []);
});

it("warns about a lost cache hint if the model supports no system messages", async () => {
  const [model] = echoModels;
  if (model === undefined) throw new Error("echo has no model");
  const capabilities = create(ModelCapabilitiesSchema, { systemMessages: false });
  const system = {
    role: Role.SYSTEM,
    name: "ann",
    parts: [{ kind: { case: "text", value: "a" }, cacheHint: {} } as const],
  };
  const user = { role: Role.USER, parts: [{ kind: { case: "text", value: "b" } } as const] };
  const chat = ask("echo/echo", "", { messages: [system, user] });
  const target = { model: { ...model, capabilities }, adapter };
  const profile = profiles.plain;
  const checked = { chat, profile, profileTexts: textsOf(profile), deployment: undefined };
  const plan = await planChat(checked, target, context);
  expect(plan.warnings.map(({ reason, field }) => `${reason} ${field}`)).toEqual([
    "EMULATED messages",
    "EMULATED messages[0].name",
    "EMULATED messages[0].parts[0].cache_hint",
  ]);
});
