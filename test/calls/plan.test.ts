import { expect, it } from "vitest";
import { createAuthenticator } from "../../src/accounts/keys.ts";
import { Calls } from "../../src/calls/active-calls.ts";
import { checkChat, planChat } from "../../src/calls/plan.ts";
import { CompleteChatRequestSchema } from "../../src/gen/dragoman/v1/chat_service_pb.js";
import { createCatalog } from "../../src/models/catalog.ts";
import { createEcho, echoModels } from "../../src/providers/echo/index.ts";
import { localAdaptations } from "../../src/providers/local/adaptations.ts";
import type { Gateway } from "../../src/server/services/gateway.ts";
import { ask } from "../support/requests.ts";

/** Echo with the limits of the local engine, whose grammar enforces a part of JSON Schema. */
const gateway: Gateway = {
  authenticate: createAuthenticator({ mode: "off", keys: [], requireAccount: false }),
  catalog: createCatalog(echoModels, ["echo"]),
  adapters: new Map([["echo", { ...createEcho(), checkSupport: localAdaptations }]]),
  calls: new Calls({ ledger: { write() {} }, maxCallMs: 1000, onFault() {} }),
};

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
  const plan = await planChat(checkChat(CompleteChatRequestSchema, request, gateway, context), gateway, context);
  expect(plan.checksSchema).toBe(checks);
  expect(plan.outputFormat).toEqual(chat.outputFormat);
  expect(plan.warnings.map(({ field }) => field)).toEqual(Object.keys(more).length > 0 ? ["output_format"] : []);
});
