import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { capabilityAdaptations } from "../../../src/chat/planning/capabilities.ts";
import { mediaKind } from "../../../src/chat/planning/media-kind.ts";
import { formatPath } from "../../../src/field-path.ts";
import { ChatRequestSchema } from "../../../src/gen/dragoman/v1/chat_request_pb.js";
import { MediaSchema } from "../../../src/gen/dragoman/v1/media_pb.js";
import { Role } from "../../../src/gen/dragoman/v1/message_pb.js";
import { ModelCapabilitiesSchema, ModelSchema } from "../../../src/gen/dragoman/v1/model_pb.js";
import { ReasoningEffort } from "../../../src/gen/dragoman/v1/reasoning_pb.js";
import { applyAdaptations } from "../../support/planning.ts";
import { functionTool } from "../../support/tools.ts";

type RequestInit = MessageInitShape<typeof ChatRequestSchema>;

/** Model with known capabilities, all false. */
const bare = create(ModelSchema, { id: "m", capabilities: {} });
const unknown = create(ModelSchema, { id: "m" });
const able = create(ModelSchema, {
  id: "m",
  capabilities: Object.fromEntries(ModelCapabilitiesSchema.fields.map(({ localName }) => [localName, true])),
});

function media(mediaType: string) {
  return {
    kind: { case: "media" as const, value: { source: { case: "data" as const, value: new Uint8Array(1) }, mediaType } },
  };
}

function say(...parts: ReturnType<typeof media>[]): RequestInit {
  const hello = { role: Role.SYSTEM, parts: [{ kind: { case: "text" as const, value: "hello" } }] };
  return { messages: [hello, { role: Role.USER, parts: [...hello.parts, ...parts] }] };
}

const result = {
  role: Role.TOOL,
  parts: [{ kind: { case: "toolResult" as const, value: { toolCallId: "c", parts: [media("image/png")] } } }],
};

const rows: readonly (readonly [what: string, request: RequestInit, adaptations: readonly string[]])[] = [
  [
    "images",
    say(media("image/png"), media("IMAGE/webp")),
    ["messages[1].parts[1].media", "messages[1].parts[2].media"],
  ],
  ["images in tool results", { messages: [result] }, ["messages[0].parts[0].tool_result.parts[0].media"]],
  ["audio", say(media("audio/wav")), ["messages[1].parts[1].media"]],
  ["documents", say(media("application/pdf")), ["messages[1].parts[1].media"]],
  ["tools", { tools: [functionTool({ name: "weather" })] }, ["tools"]],
  ["a JSON object", { outputFormat: { format: { case: "jsonObject", value: {} } } }, ["output_format.json_object"]],
  ["a regular expression", { outputFormat: { format: { case: "regex", value: {} } } }, ["output_format.regex"]],
  ["a chat template", { chatTemplate: "{{ messages }}" }, ["chat_template"]],
];

test.each(rows)("rejects %s if the model does not support it", (_, init, fields) => {
  const request = create(ChatRequestSchema, init);
  const adaptations = capabilityAdaptations(request, bare);
  expect(adaptations.map(({ kind, field }) => [kind, formatPath(field)])).toEqual(
    fields.map((field) => ["REJECTED", field]),
  );
  expect(() => applyAdaptations(request, adaptations)).toThrow(
    expect.objectContaining({ reason: "UNSUPPORTED_PARAMETER", message: expect.stringMatching(/^m /) }),
  );
});

const ignored: readonly (readonly [what: string, request: RequestInit, fields: readonly string[]])[] = [
  ["parallel tool calls", { parallelToolCalls: true }, ["parallel_tool_calls"]],
  ["reasoning", { reasoning: { control: { case: "effort", value: ReasoningEffort.HIGH } } }, ["reasoning"]],
  ["logprobs", { parameters: { logprobs: true } }, ["parameters.logprobs"]],
  [
    "top_logprobs",
    { parameters: { logprobs: true, topLogprobs: 3 } },
    ["parameters.logprobs", "parameters.top_logprobs"],
  ],
];

test.each(ignored)("drops %s with a warning if the model does not support it", (_, init, fields) => {
  const request = create(ChatRequestSchema, init);
  const limited = applyAdaptations(request, capabilityAdaptations(request, bare));
  const warned = limited.warnings.map(({ reason, field }) => [reason, field]);
  expect(warned).toEqual(fields.map((field) => ["UNSUPPORTED_PARAMETER", field]));
  expect(capabilityAdaptations(limited.request, bare)).toEqual([]);
});

test.each([...rows, ...ignored])("accepts %s if the model supports it or its capabilities are unknown", (_, init) => {
  const request = create(ChatRequestSchema, init);
  expect(capabilityAdaptations(request, able)).toEqual([]);
  expect(capabilityAdaptations(request, unknown)).toEqual([]);
});

test("accepts a request that needs no capability", () => {
  const request = create(ChatRequestSchema, {
    parameters: { n: 1, logprobs: false, topLogprobs: 0, temperature: 2, maxOutputTokens: 1_000_000 },
    parallelToolCalls: false,
    outputFormat: { format: { case: "text", value: {} } },
  });
  expect(capabilityAdaptations(request, bare)).toEqual([]);
});

test("lowers temperature and max_output_tokens to the model's limits with a warning", () => {
  const model = create(ModelSchema, { id: "m", maxTemperature: 1, maxOutputTokens: 100 });
  const request = create(ChatRequestSchema, { parameters: { temperature: 1.5, maxOutputTokens: 101 } });
  const limited = applyAdaptations(request, capabilityAdaptations(request, model));
  expect(limited.request.parameters).toMatchObject({ temperature: 1, maxOutputTokens: 100 });
  expect(limited.warnings).toMatchObject([
    { reason: "ADJUSTED", field: "parameters.temperature", message: "m supports temperatures up to 1" },
    { reason: "ADJUSTED", field: "parameters.max_output_tokens", message: "m supports at most 100 output tokens" },
  ]);
  expect(capabilityAdaptations(limited.request, model)).toEqual([]);
});

test.each([
  ["image/png", "https://example.com/sound.mp3", "image"],
  ["", "https://example.com/a/photo.JPEG?size=2#top", "image"],
  ["", "data:audio/wav;base64,AAAA", "audio"],
  ["", "gs://bucket/clip.mp4", "video"],
  ["", "https://example.com/report.pdf", "document"],
  ["text/plain", "https://example.com/x", "document"],
  ["", "https://example.com", undefined],
  ["", "no address", undefined],
])("detects the media type %j at %s as %s", (mediaType, url, kind) => {
  expect(mediaKind(create(MediaSchema, { mediaType, source: { case: "url", value: url } }))).toBe(kind);
});
