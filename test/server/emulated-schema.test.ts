import { describe, expect, it, onTestFinished } from "vitest";
import type { ChatRequest } from "../../src/gen/dragoman/v1/chat_request_pb.js";
import { failureOf } from "../behaviours/support.ts";
import { delta, finish, streamed, whole } from "../behaviours/wire.ts";
import { type Script, startReplayUpstream } from "../support/replay-upstream.ts";
import { ask } from "../support/requests.ts";
import { startTestService } from "../support/service.ts";
import { functionTool } from "../support/tools.ts";

const schema = { type: "object", properties: { city: { type: "string" } }, required: ["city"] };
const outputFormat = {
  format: { case: "jsonSchema", value: { name: "answer", schemaJson: JSON.stringify(schema) } },
} as const;
const tools = [functionTool({ name: "look_up", parametersJsonSchema: '{"type":"object"}' })];

const said = (text: string): { readonly whole: Script; readonly stream: Script } => ({
  whole: whole({ content: text }),
  stream: streamed(delta({ role: "assistant", content: text }), finish()),
});

async function start(provider: string, ...scripts: readonly Script[]) {
  const upstream = await startReplayUpstream(...scripts);
  onTestFinished(() => upstream[Symbol.asyncDispose]());
  const name = provider.toUpperCase();
  const service = await startTestService({ [`${name}_API_KEY`]: "k", [`${name}_BASE_URL`]: upstream.baseUrl });
  onTestFinished(() => service.stop());
  return { client: service.chatClient("grpc"), upstream };
}

const request = (model: string, fields: { tools?: typeof tools } = {}): ChatRequest =>
  ask(model, "Where?", { outputFormat, ...fields });

describe("a JSON Schema that the provider does not support", () => {
  it.each([
    [
      "an unlisted model of a provider without schemas",
      "deepseek/deepseek-next",
      { type: "json_object" },
      ["system", "user"],
    ],
    ["a model without schemas", "gpt-3.5-turbo", { type: "json_object" }, ["system", "user"]],
    ["a model without schemas and system messages", "o1-mini", undefined, ["user"]],
  ])("adds the JSON Schema to the prompt and validates the response: %s", async (_, model, sentFormat, roles) => {
    const provider = model.startsWith("deepseek") ? "deepseek" : "openai";
    const { stream } = said('{"city":"Paris"}');
    const right = await start(provider, said('{"city":"Paris"}').whole, stream);
    const chat = request(model);
    const { completion } = await right.client.completeChat({ chat });
    const sent = JSON.parse(right.upstream.requests[0]?.body ?? "");
    expect(sent.response_format).toEqual(sentFormat);
    expect(sent.messages.map(({ role }: { role: string }) => role)).toEqual(roles);
    expect(JSON.stringify(sent.messages)).toContain(JSON.stringify(JSON.stringify(schema)).slice(1, -1));
    expect(completion?.warnings).toContainEqual(
      expect.objectContaining({ reason: "EMULATED", field: "output_format.json_schema" }),
    );
    for await (const event of right.client.streamChat({ chat })) expect(event.event.case).toBeDefined();

    const wrong = await start(provider, said('{"city":1}').whole, said('{"city":1}').stream);
    const failed = { code: "InvalidArgument", reason: "JSON_GENERATION_FAILED" };
    expect(await failureOf(wrong.client.completeChat({ chat }))).toMatchObject(failed);
    const read = async () => {
      for await (const { event } of wrong.client.streamChat({ chat })) expect(event.case).not.toBe("completed");
    };
    expect(await failureOf(read())).toMatchObject(failed);
  });

  it.each([
    ["gemini", "gemini/gemini-2.5-flash"],
    ["cohere", "cohere/command-a-03-2025"],
  ])("adds the JSON Schema to the prompt if the request has tools: %s", async (provider, model) => {
    const { client, upstream } = await start(provider);
    const plan = await client.planChat({ chat: request(model, { tools }) });
    expect(plan.warnings).toMatchObject([{ reason: "EMULATED", field: "output_format.json_schema" }]);
    expect(plan.providerRequestJson).toContain("It must fit this JSON Schema");
    expect(plan.providerRequestJson).not.toMatch(/response_format|responseJsonSchema|responseMimeType/);
    const alone = await client.planChat({ chat: request(model) });
    expect(alone.warnings).toEqual([]);
    expect(alone.providerRequestJson).not.toContain("It must fit this JSON Schema");
    expect(upstream.requests).toEqual([]);
  });
});
