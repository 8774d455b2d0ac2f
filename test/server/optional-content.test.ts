import type { MessageInitShape } from "@bufbuild/protobuf";
import { ConnectError } from "@connectrpc/connect";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { OptionalContent } from "../../src/chat/planning/optional-content.ts";
import type { ChatRequestSchema } from "../../src/gen/dragoman/v1/chat_request_pb.js";
import { type PartSchema, Role } from "../../src/gen/dragoman/v1/message_pb.js";
import { Modality } from "../../src/gen/dragoman/v1/modality_pb.js";
import { BadRequestSchema, ErrorInfoSchema } from "../../src/gen/google/rpc/error_details_pb.js";
import { providers } from "../../src/providers/registry.ts";
import { startTestService, type TestService } from "../support/service.ts";

type Init = Exclude<MessageInitShape<typeof ChatRequestSchema>, { $typeName: "dragoman.v1.ChatRequest" }>;
type PartInit = MessageInitShape<typeof PartSchema>;

const nowhere = "http://127.0.0.1:9";
const remote = providers.filter(
  ({ name }) => !["local", "echo", "vertex", "azure-openai", "llm-engine"].includes(name),
);
let service: TestService;
beforeAll(async () => {
  const entries = remote.map(({ name }) => [name, { enabled: true, api_key: "k", base_url: nowhere }] as const);
  service = await startTestService({}, undefined, JSON.stringify({ providers: Object.fromEntries(entries) }));
});
afterAll(() => service.stop());

const models: Readonly<Record<string, string>> = { bedrock: "anthropic.claude-3-7-sonnet-20250219-v1:0" };
const modelAt = (provider: string) => `${provider}/${models[provider] ?? "some-model"}`;

async function plan(provider: string, chat: Init) {
  const { warnings, providerRequestJson } = await service
    .chatClient("grpc")
    .planChat({ chat: { model: modelAt(provider), ...chat } });
  return { warnings: warnings.map(({ reason, field }) => `${reason} ${field}`), providerRequestJson };
}

async function failure(provider: string, chat: Init) {
  const error = await plan(provider, chat).then(() => undefined, ConnectError.from);
  return {
    reason: error?.findDetails(ErrorInfoSchema)[0]?.reason,
    fields: error?.findDetails(BadRequestSchema)[0]?.fieldViolations.map(({ field }) => field),
  };
}

/** Content that the adapter sends, by provider. */
const sent: Readonly<Record<string, readonly OptionalContent[]>> = {
  anthropic: ["search_results", "file_ids"],
  bedrock: ["search_results"],
  cohere: ["search_results"],
  mistral: ["file_ids"],
  openai: ["file_ids"],
};

const text = (value: string): PartInit => ({ kind: { case: "text", value } });
const user = (...parts: PartInit[]) => ({ role: Role.USER, parts });
const assistant = (...parts: PartInit[]) => ({ role: Role.ASSISTANT, parts });
const png = { case: "data" as const, value: Uint8Array.of(1) };

/** Conversation with the output of another provider, and of a version that has more kinds of parts. */
const foreign = [
  user(text("first-question"), {
    kind: { case: "searchResult", value: { source: "https://a.example", title: "Roads", texts: ["far-away"] } },
  }),
  assistant(
    { kind: { case: "serverToolCall", value: { id: "s", name: "web_search", inputJson: '{"secret-input":1}' } } },
    { kind: { case: "serverToolResult", value: { toolCallId: "s", outputJson: '["secret-output"]' } } },
    { kind: { case: "media", value: { source: png, mediaType: "image/png" } } },
    {},
    { kind: { case: "text", value: "first-answer" }, citations: [{ citedText: "secret-citation" }] },
  ),
  user(text("second-question")),
  assistant(),
  user(text("third-question")),
];

/** Providers to which Dragoman sends what it leaves out for the others. */
const takesCitations: ReadonlySet<string> = new Set(["openrouter"]);
const takesImages: ReadonlySet<string> = new Set(["openrouter", "gemini", "vertex"]);
const takesModalities: ReadonlySet<string> = new Set(["openai", "azure-openai", "openrouter", "gemini", "vertex"]);

describe.each(remote.map(({ name }) => name))("a conversation that came from elsewhere, sent to %s", (provider) => {
  it("is sent without the parts that have no place there, with a warning for each", async () => {
    const { warnings, providerRequestJson } = await plan(provider, { messages: foreign, strictParameters: true });
    expect(warnings).toEqual(
      expect.arrayContaining([
        ...(sent[provider]?.includes("search_results") ? [] : ["EMULATED messages[0].parts[1]"]),
        "LEFT_OUT messages[1].parts[0]",
        "LEFT_OUT messages[1].parts[1]",
        ...(takesImages.has(provider) ? [] : ["LEFT_OUT messages[1].parts[2]"]),
        "LEFT_OUT messages[1].parts[3]",
        ...(takesCitations.has(provider) ? [] : ["LEFT_OUT messages[1].parts[4].citations"]),
        "LEFT_OUT messages[3]",
      ]),
    );
    for (const kept of ["first-question", "far-away", "https://a.example", "first-answer", "third-question"]) {
      expect(providerRequestJson).toContain(kept);
    }
    expect(providerRequestJson).not.toContain("secret");
  });

  if (!sent[provider]?.includes("file_ids")) {
    it("is rejected with the field if a file is named by the provider's id", async () => {
      const file: PartInit = { kind: { case: "media", value: { source: { case: "fileId", value: "file-1" } } } };
      const { reason, fields } = await failure(provider, { messages: [user(text("a"), file)] });
      expect(reason).toBe("UNSUPPORTED_PARAMETER");
      expect(fields).toContain("chat.messages[0].parts[1].media.file_id");
    });
  }

  it("ignores other outputs than text with a warning each, and rejects them with strict_parameters", async () => {
    const chat: Init = {
      messages: [user(text("a"))],
      responseModalities: [Modality.TEXT, Modality.AUDIO],
      audioOutput: { voice: "alloy" },
    };
    const output = takesModalities.has(provider) ? [] : ["response_modalities", "audio_output"];
    const fields = output;
    const { warnings } = await plan(provider, chat);
    expect(warnings.filter((warning) => fields.some((field) => warning.endsWith(` ${field}`)))).toEqual(
      fields.map((field) => `UNSUPPORTED_PARAMETER ${field}`),
    );
    if (fields.length === 0) return;
    const strict = await failure(provider, { ...chat, strictParameters: true });
    expect(strict.reason).toBe("UNSUPPORTED_PARAMETER");
    expect(strict.fields).toEqual(expect.arrayContaining(fields.map((field) => `chat.${field}`)));
  });
});

it("ignores citable with a warning, at its first document", async () => {
  const document = (citable: boolean): PartInit => ({
    kind: {
      case: "media",
      value: { source: { case: "data", value: Buffer.from("a") }, mediaType: "text/plain", citable },
    },
  });
  const messages = [user(text("a"), document(false), document(true), document(true))];
  const { warnings } = await plan("gemini", { messages });
  expect(warnings).toContain("UNSUPPORTED_PARAMETER messages[0].parts[2].media.citable");
  expect(warnings.filter((warning) => warning.includes("citable"))).toHaveLength(1);
});
