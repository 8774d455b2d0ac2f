import { describe, expect, it } from "vitest";
import { Role } from "../../../src/gen/dragoman/v1/message_pb.js";
import { Modality } from "../../../src/gen/dragoman/v1/modality_pb.js";
import { providerTool } from "../../support/tools.ts";
import { adapter, model, request } from "./harness.ts";

const offline = "http://127.0.0.1:9";
const sent = (chat: Parameters<typeof request>[0], name = "openai") =>
  JSON.parse(JSON.stringify(adapter(offline, {}, name).describe(request(chat), model())));
const reported = (chat: Parameters<typeof request>[0], name = "openai") =>
  adapter(offline, {}, name)
    .checkSupport(request(chat), model())
    .map(({ kind, field }) => [kind, field.join(".")]);

const speech = [Modality.TEXT, Modality.AUDIO];
const audio = (state: object, transcript = "") => ({
  role: Role.ASSISTANT,
  parts: [
    {
      kind: {
        case: "media" as const,
        value: { source: { case: "data" as const, value: Buffer.from("a") }, mediaType: "audio/wav", transcript },
      },
      providerState: { provider: "openai", model: "gpt-4o", data: Buffer.from(JSON.stringify(state)) },
    },
  ],
});
const later = Math.floor(Date.now() / 1_000) + 3_600;

describe("audio output", () => {
  it("is requested in the format of its media type; streams have only pcm16", () => {
    const chat = { responseModalities: speech, audioOutput: { voice: "ash" } };
    expect(sent(chat)).toMatchObject({ modalities: ["text", "audio"], audio: { voice: "ash", format: "pcm16" } });
    const mp3 = { responseModalities: speech, audioOutput: { voice: "ash", mediaType: "audio/mpeg" } };
    expect(sent(mp3)).toMatchObject({ audio: { format: "mp3" }, stream: false });
  });

  it("needs a voice and a known media type, and a server that returns audio", () => {
    expect(reported({ responseModalities: speech })).toEqual([["REJECTED", "audio_output"]]);
    expect(reported({ responseModalities: speech, audioOutput: { voice: "a", mediaType: "audio/midi" } })).toEqual([
      ["UNSUPPORTED_PARAMETER", "audio_output.media_type"],
    ]);
    expect(reported({ responseModalities: [Modality.IMAGE] })).toEqual([["ADJUSTED", "response_modalities"]]);
    expect(sent({ responseModalities: [Modality.TEXT] })).not.toHaveProperty("modalities");
  });

  it("is sent back by its id until it expires, then as its transcript", () => {
    const own = { messages: [audio({ id: "audio_1", expires_at: later }, "Hi")] };
    expect(sent(own).messages).toEqual([{ role: "assistant", content: null, audio: { id: "audio_1" } }]);
    const old = { messages: [audio({ id: "audio_1", expires_at: 1 }, "Hi")] };
    expect(sent(old).messages).toEqual([{ role: "assistant", content: "Hi" }]);
    expect(reported(old)).toEqual([["EMULATED", "messages.0.parts.0"]]);
    expect(reported({ messages: [audio({ id: 7 })] })).toEqual([["LEFT_OUT", "messages.0.parts.0"]]);
  });
});

it("sends OpenRouter's citations and images back in its own fields, with positions in characters", () => {
  const source = { case: "url" as const, value: { url: "https://a.example", title: "A" } };
  const messages = [
    {
      role: Role.ASSISTANT,
      parts: [
        { kind: { case: "text" as const, value: "Grüße" }, citations: [{ start: 2, end: 7, source, citedText: "c" }] },
        { kind: { case: "text" as const, value: " 🌍!" }, citations: [{ start: 1, end: 5, source }, { source }] },
        {
          kind: {
            case: "media" as const,
            value: { source: { case: "data" as const, value: Buffer.from("a") }, mediaType: "image/png" },
          },
        },
      ],
    },
  ];
  const annotation = (start_index: number, end_index: number, more: object = {}) => ({
    type: "url_citation",
    url_citation: { url: "https://a.example", title: "A", ...more, start_index, end_index },
  });
  expect(sent({ messages }, "openrouter").messages).toEqual([
    {
      role: "assistant",
      content: [
        { type: "text", text: "Grüße" },
        { type: "text", text: " 🌍!" },
      ],
      images: [{ type: "image_url", image_url: { url: "data:image/png;base64,YQ==" } }],
      annotations: [annotation(2, 5, { content: "c" }), annotation(6, 7), annotation(0, 0)],
    },
  ]);
});

it("sends a tool that the server runs with its own fields", () => {
  const tools = [providerTool({ provider: "groq", type: "browser_search", configJson: '{"depth":2}' })];
  expect(sent({ tools }, "groq").tools).toEqual([{ type: "browser_search", depth: 2 }]);
});
