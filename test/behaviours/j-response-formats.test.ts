import { describe, expect } from "vitest";
import { JsonGenerationFailureSchema } from "../../src/gen/dragoman/v1/error_pb.js";
import type { Script } from "../support/replay-upstream.ts";
import { ask } from "../support/requests.ts";
import { behaviour } from "./behaviour.ts";
import { asCerebras, asDeepinfra, failureOf, paths, type Stage, says, startStage, wrongPlaces } from "./support.ts";
import { chunksOf, delta, finish, replies, streamed, textOf, warningsOf, whole } from "./wire.ts";

const llama2 = "meta-llama/Llama-2-70b-chat-hf";
const llama31 = "llama3.1-8b";
const wanted = "Answer in JSON.";

/** Starts a service whose Cerebras and DeepInfra backends run these scripts. */
function startBoth(...scripts: readonly Script[]): Promise<Stage> {
  return startStage({ cerebras: scripts, deepinfra: scripts });
}

const jsonObject = { outputFormat: { format: { case: "jsonObject", value: {} } } } as const;
const jsonSchema = (schema: object, name = "city", strict = true) =>
  ({
    outputFormat: { format: { case: "jsonSchema", value: { name, schemaJson: JSON.stringify(schema), strict } } },
  }) as const;

const city = {
  type: "object",
  properties: { city: { type: "string" } },
  required: ["city"],
  additionalProperties: false,
};

describe("J. Response formats", () => {
  behaviour(146, async () => {
    const stage = await startBoth(whole({ content: '{"a": 1}' }));
    for (const [path, model, provider] of [
      [paths.cerebras, llama31, "cerebras"],
      [paths.deepinfra, llama2, "deepinfra"],
    ] as const) {
      const format = { response_format: { type: "json_object" } };
      const { body } = await stage.post(path, { model, messages: says(wanted), ...format });
      const { choices } = body as { choices: readonly { message: { content: string } }[] };
      expect(JSON.parse(choices[0]?.message.content ?? "")).toEqual({ a: 1 });
      expect(stage.sent(provider)).toMatchObject(format);
      const { completion } = await stage.service
        .chatClient("grpc")
        .completeChat({ chat: ask(model, wanted, jsonObject) });
      expect(completion?.choices[0]?.message?.parts[0]?.kind.value).toBe('{"a": 1}');
      expect(stage.sent(provider)).toMatchObject(format);
    }
    // JSON values other than objects.
    for (const content of ["[1]", "null", '"a"', ""]) {
      const other = await startBoth(whole({ content }));
      const chat = ask(llama31, wanted, { ...asCerebras, ...jsonObject });
      expect(await failureOf(other.service.chatClient("grpc").completeChat({ chat }))).toMatchObject({
        reason: "JSON_GENERATION_FAILED",
      });
    }
  });

  behaviour(147, async () => {
    const stage = await startBoth(whole({ content: "{a" }));
    const body = { messages: says(wanted), response_format: { type: "json_object" } };
    expect(await stage.post(paths.cerebras, { model: llama31, ...body })).toMatchObject({
      status: 400,
      body: { type: "invalid_request_error", code: "json_generation_failed", failed_generation: "{a" },
    });
    expect(await stage.post(paths.deepinfra, { model: llama2, ...body })).toMatchObject({
      status: 400,
      body: { error: { code: "json_generation_failed", failed_generation: "{a" } },
    });
    const chat = ask(llama31, wanted, { ...asCerebras, ...jsonObject });
    const failure = await failureOf(stage.service.chatClient("grpc").completeChat({ chat }));
    expect(failure).toMatchObject({ code: "InvalidArgument", reason: "JSON_GENERATION_FAILED" });
    expect(failure.error.findDetails(JsonGenerationFailureSchema)[0]?.failedGeneration).toBe("{a");
    // Without response_format, the same text is valid.
    expect(await stage.post(paths.cerebras, { model: llama31, messages: says(wanted) })).toMatchObject({ status: 200 });

    // Cerebras itself reports the failed generation.
    const said = { message: "Failed to generate JSON.", type: "invalid_request_error", code: "x" };
    const rejecting = await startBoth(replies(400, { ...said, failed_generation: "{b" }));
    expect(await rejecting.post(paths.cerebras, { model: llama31, ...body })).toMatchObject({
      status: 400,
      body: { failed_generation: "{b" },
    });
  });

  behaviour(148, async () => {
    const cut = whole({ content: '{"a": "on' }, { choice: { finish_reason: "length" } });
    const stage = await startBoth(cut);
    const format = { response_format: { type: "json_object" } };
    const body = { model: llama31, messages: says(wanted), max_completion_tokens: 3, ...format };
    expect(await stage.post(paths.cerebras, body)).toMatchObject({
      status: 400,
      body: { failed_generation: '{"a": "on', message: expect.stringContaining("token limit") },
    });
    expect(stage.sent("cerebras")).toMatchObject({ max_completion_tokens: 3 });
    const chat = ask(llama31, wanted, { ...asCerebras, ...jsonObject, parameters: { maxOutputTokens: 3 } });
    const failure = await failureOf(stage.service.chatClient("grpc").completeChat({ chat }));
    expect(failure.error.findDetails(JsonGenerationFailureSchema)[0]?.failedGeneration).toBe('{"a": "on');
  });

  behaviour(149, async () => {
    const stage = await startBoth(streamed(delta({ content: "{}" }), finish()));
    const body = { messages: says(wanted), stream: true, response_format: { type: "json_object" } };
    expect(await stage.post(paths.cerebras, { model: llama31, ...body })).toMatchObject({
      status: 400,
      body: { message: expect.stringContaining("response_format"), type: "invalid_request_error" },
    });
    const chat = ask(llama31, wanted, { ...asCerebras, ...jsonObject });
    const drain = async () => {
      for await (const _ of stage.service.chatClient("grpc").streamChat({ chat }));
    };
    expect(await failureOf(drain())).toMatchObject({
      code: "InvalidArgument",
      reason: "INVALID_REQUEST",
      fields: ["chat.output_format.json_object"],
    });
    expect(stage.asked()).toBe(0);
    // DeepInfra allows it.
    const chunks = await chunksOf(await stage.send(paths.deepinfra, { model: llama2, ...body }));
    expect(textOf(chunks)).toBe("{}");
  });

  behaviour(150, async () => {
    const stage = await startBoth(whole({ content: "{}" }));
    const format = { response_format: { type: "json_object" } };
    const reply = await stage.post(paths.cerebras, { model: llama31, messages: says("A city?"), ...format });
    expect(reply.status).toBe(200);
    expect(warningsOf(reply)).toContainEqual(["ADVICE", "response_format"]);
    const asking = await stage.post(paths.cerebras, { model: llama31, messages: says(wanted), ...format });
    expect(warningsOf(asking)).not.toContainEqual(["ADVICE", "response_format"]);

    const client = stage.service.chatClient("grpc");
    const advice = async (text: string) => {
      const { completion } = await client.completeChat({ chat: ask(llama2, text, { ...asDeepinfra, ...jsonObject }) });
      return completion?.warnings.filter(({ reason }) => reason === "ADVICE").map(({ field }) => field);
    };
    expect(await advice("A city?")).toEqual(["output_format.json_object"]);
    expect(await advice(wanted)).toEqual([]);
  });

  behaviour(151, async () => {
    const stage = await startBoth(whole({ content: "{a" }));
    for (const [path, model, provider, profile] of [
      [paths.cerebras, llama31, "cerebras", asCerebras],
      [paths.deepinfra, llama2, "deepinfra", asDeepinfra],
    ] as const) {
      const sent: unknown[] = [];
      for (const more of [{}, { response_format: { type: "text" } }, { response_format: null }]) {
        expect((await stage.post(path, { model, messages: says("Hi"), ...more })).status).toBe(200);
        sent.push(stage.sent(provider));
      }
      const chat = ask(model, "Hi", { ...profile, outputFormat: { format: { case: "text", value: {} } } });
      await stage.service.chatClient("grpc").completeChat({ chat });
      sent.push(stage.sent(provider));
      expect(sent).toEqual(Array.from(sent, () => sent[0]));
      expect(sent[0]).not.toHaveProperty("response_format");
    }
  });

  behaviour(152, async () => {
    const stage = await startStage({ cerebras: [whole({ content: '{"city":"Oslo"}' })], deepinfra: [] });
    const format = (json_schema: object) => ({
      model: llama31,
      messages: says("Where?"),
      response_format: { type: "json_schema", json_schema },
    });
    expect(await stage.post(paths.cerebras, format({ schema: city, strict: true }))).toMatchObject({
      status: 400,
      body: { message: expect.stringContaining("response_format.json_schema.name"), code: "wrong_api_format" },
    });
    const nameless = await stage.post(paths.deepinfra, { ...format({ schema: city }), model: llama2 });
    expect([nameless.status, wrongPlaces(nameless)]).toEqual([422, ["body.response_format.json_schema.name"]]);
    const client = stage.service.chatClient("grpc");
    expect(await failureOf(client.completeChat({ chat: ask(llama31, "Where?", jsonSchema(city, "")) }))).toMatchObject({
      code: "InvalidArgument",
      fields: ["chat.output_format.json_schema.name"],
    });
    expect(stage.asked()).toBe(0);

    const strict = format({ name: "city", schema: city, strict: true });
    expect((await stage.post(paths.cerebras, strict)).status).toBe(200);
    expect(stage.sent("cerebras")).toMatchObject({ response_format: strict.response_format });
    await client.completeChat({ chat: ask(llama31, "Where?", { ...asCerebras, ...jsonSchema(city) }) });
    expect(stage.sent("cerebras")).toMatchObject({ response_format: strict.response_format });

    // If the model does not support schemas, Dragoman validates the response, which has an unknown property here.
    const file = { models: { [llama31]: { capabilities: { json_schema: false } } } };
    const unheld = await startStage({ cerebras: [whole({ content: '{"city":"Oslo","more":1}' })] }, file);
    expect(await unheld.post(paths.cerebras, strict)).toMatchObject({
      status: 400,
      body: { failed_generation: '{"city":"Oslo","more":1}' },
    });
  });

  behaviour(153, async () => {
    const stage = await startStage({ cerebras: [whole({ content: "{}" })] });
    const of = (property: object) => ({ ...city, properties: { city: property } });
    const branches = (count: number) => of({ anyOf: Array.from({ length: count }, () => ({ type: "string" })) });
    const wrong = [
      of({ type: ["string", "null"] }),
      { ...city, additionalProperties: true },
      { ...city, additionalProperties: undefined },
      { ...city, required: [] },
      branches(6),
      of({ type: "array", items: true }),
      of({ ...city, required: [] }),
    ];
    const right = [
      city,
      of({ anyOf: [{ type: "string" }, { type: "null" }] }),
      branches(5),
      of({ enum: ["a", "b"] }),
      { ...of({ $ref: "#/$defs/name" }), $defs: { name: { type: "string" } } },
    ];
    const client = stage.service.chatClient("grpc");
    const post = async (schema: object, strict: boolean) => {
      const json_schema = { name: "city", schema, strict };
      const body = { model: llama31, messages: says("JSON"), response_format: { type: "json_schema", json_schema } };
      return stage.post(paths.cerebras, body);
    };
    for (const schema of wrong) {
      expect(await post(schema, true)).toMatchObject({
        status: 400,
        body: { message: expect.stringContaining("response_format.json_schema.schema"), code: "wrong_api_format" },
      });
      const call = client.completeChat({ chat: ask(llama31, "JSON", { ...asCerebras, ...jsonSchema(schema) }) });
      expect(await failureOf(call)).toMatchObject({
        code: "InvalidArgument",
        fields: ["chat.output_format.json_schema.schema_json"],
      });
    }
    expect(stage.asked()).toBe(0);
    for (const schema of right) expect((await post(schema, true)).status).toBe(200);
    for (const schema of wrong) expect((await post(schema, false)).status).toBe(200);
  });

  behaviour(154, async () => {
    const stage = await startStage({ deepinfra: [whole({ content: "042" })] });
    const regex = "[0-9]{3}";
    const format = { response_format: { type: "regex", regex } };
    expect(await stage.post(paths.deepinfra, { model: llama2, messages: says("A code?"), ...format })).toMatchObject({
      status: 200,
      body: { choices: [{ message: { content: expect.stringMatching(/^[0-9]{3}$/) } }] },
    });
    expect(stage.sent("deepinfra")).toMatchObject(format);
    const outputFormat = { format: { case: "regex", value: { pattern: regex } } } as const;
    await stage.service
      .chatClient("grpc")
      .completeChat({ chat: ask(llama2, "A code?", { ...asDeepinfra, outputFormat }) });
    expect(stage.sent("deepinfra")).toMatchObject(format);
  });

  behaviour(155, async () => {
    const file = { models: { [llama2]: { capabilities: { regex: false, json_schema: false } } } };
    const stage = await startStage({ deepinfra: [whole({ content: "{}" })], cerebras: [] }, file);
    const body = (format: object) => ({ model: llama2, messages: says("JSON?"), response_format: format });
    const regex = { type: "regex", regex: "[0-9]{3}" };
    expect(await stage.post(paths.deepinfra, body(regex))).toMatchObject({
      status: 400,
      body: { error: { code: "unsupported_parameter", param: expect.stringContaining("response_format") } },
    });
    const outputFormat = { format: { case: "regex", value: { pattern: "[0-9]{3}" } } } as const;
    const call = stage.service
      .chatClient("grpc")
      .completeChat({ chat: ask(llama2, "JSON?", { ...asDeepinfra, outputFormat }) });
    expect(await failureOf(call)).toMatchObject({
      code: "InvalidArgument",
      reason: "UNSUPPORTED_PARAMETER",
      fields: ["chat.output_format.regex"],
    });
    // Cerebras' API has no regex format.
    expect((await stage.post(paths.cerebras, { ...body(regex), model: llama31 })).status).toBe(400);
    expect(stage.asked()).toBe(0);
    expect((await stage.post(paths.deepinfra, body({ type: "json_object" }))).status).toBe(200);
  });
});
