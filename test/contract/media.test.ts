import { describe, expect, it } from "vitest";
import { GatewayError } from "../../src/errors.ts";
import { Role } from "../../src/gen/dragoman/v1/message_pb.js";
import { type Dialect, titleOf } from "./dialect.ts";
import { dialects } from "./load-dialects.ts";
import { planFor } from "./planned.ts";

const bytes = (text: string) => Buffer.from(text, "latin1");

/** The beginning of a file of each format, and names of its type. The first name is the usual one. */
const formats: readonly (readonly [usual: string, head: Buffer, ...others: string[]])[] = [
  [
    "image/jpeg",
    bytes("\xff\xd8\xff\xe0\0\x10JFIF\0"),
    "image/jpg",
    "IMAGE/JPEG",
    "image/jpeg; charset=binary",
    "image/pjpeg",
  ],
  ["image/png", bytes("\x89PNG\r\n\x1a\n\0\0\0\rIHDR"), "image/x-png", "Image/PNG;x=y"],
  ["image/gif", bytes("GIF89a\x01\0\x01\0"), "IMAGE/GIF"],
  ["image/webp", bytes("RIFF\x24\0\0\0WEBPVP8 "), "image/webp ;q=1"],
  ["application/pdf", bytes("%PDF-1.7\n"), "application/x-pdf", "Application/PDF"],
  ["audio/wav", bytes("RIFF\x24\0\0\0WAVEfmt "), "audio/x-wav", "audio/wave", "audio/vnd.wave", "AUDIO/WAV"],
  ["audio/mpeg", bytes("ID3\x04\0\0\0\0\0\0"), "audio/mp3", "audio/x-mpeg", "audio/mpeg; rate=44100"],
  ["audio/mpeg", bytes("\xff\xfb\x90\x64\0"), "audio/mp3"],
  ["audio/flac", bytes("fLaC\0\0\0\x22"), "audio/x-flac"],
  ["audio/ogg", bytes("OggS\0\x02"), "application/ogg", "audio/x-ogg"],
  ["audio/mp4", bytes("\0\0\0\x20ftypM4A \0\0\0\0"), "audio/m4a", "audio/x-m4a"],
  ["video/mp4", bytes("\0\0\0\x20ftypisom\0\0\0\0"), "video/x-m4v"],
  ["video/webm", bytes("\x1a\x45\xdf\xa3\x9f\x42\x82\x84webm"), "video/WebM; codecs=vp9"],
];

/** PDF and video that the provider must load. */
const byUrl = [
  ["application/pdf", "https://files.example/report.pdf"],
  ["video/mp4", "https://files.example/film.mp4"],
] as const;

const mediaPart = (mediaType: string, value: Uint8Array) => ({
  kind: { case: "media" as const, value: { source: { case: "data" as const, value }, mediaType } },
});

/** What an adapter sends for media, or why Dragoman rejects it, and the warnings about the media type. */
async function sent(dialect: Dialect, mediaType: string, value: Uint8Array) {
  // The capabilities of a single model are another matter.
  const { capabilities: _, ...model } = dialect.model;
  const messages = [{ role: Role.USER, parts: [mediaPart(mediaType, value)] }];
  try {
    const { body, warnings } = await planFor(dialect, { messages }, model);
    const told = warnings
      .filter(({ field }) => field.endsWith(".media_type"))
      .map(({ reason, field }) => `${reason} ${field}`);
    return { outcome: JSON.stringify(body), told };
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    return { outcome: error.message, told: [] };
  }
}

describe.each(dialects.map((dialect) => ({ ...dialect, title: titleOf(dialect) })))("the $title API", (dialect) => {
  it("gets the same for every name of a media type", async () => {
    for (const [usual, head, ...others] of formats) {
      const expected = await sent(dialect, usual, head);
      expect(expected.told).toEqual([]);
      for (const name of others) expect(await sent(dialect, name, head), name).toEqual(expected);
    }
  });

  it("gets the type that the bytes show, and the caller a warning", async () => {
    for (const [usual, head] of formats) {
      const wrong = usual.startsWith("image/") ? "application/pdf" : "image/png";
      const expected = await sent(dialect, usual, head);
      const { outcome, told } = await sent(dialect, wrong, head);
      expect(outcome, usual).toBe(expected.outcome);
      // A rejected request has no warnings.
      if (outcome.startsWith("{")) expect(told).toEqual(["ADJUSTED messages[0].parts[0].media.media_type"]);
    }
  });

  it("gets a PDF and a video by URL, or the caller an error with the field", async () => {
    const { capabilities: _, ...model } = dialect.model;
    for (const [mediaType, value] of byUrl) {
      const kind = { case: "media" as const, value: { source: { case: "url" as const, value }, mediaType } };
      const outcome = await planFor(dialect, { messages: [{ role: Role.USER, parts: [{ kind }] }] }, model).then(
        ({ body }) => (JSON.stringify(body).includes(JSON.stringify(value)) ? "sent" : "lost"),
        (error) => {
          if (!(error instanceof GatewayError)) throw error;
          return error.facts.fields?.map(({ field }) => field.join(".")).join();
        },
      );
      expect(outcome, mediaType).toMatch(/^(sent|messages\.0\.parts\.0(\.media)?)$/);
    }
  });
});

describe("media of a request", () => {
  const dialect = dialects.find(({ name }) => name === "anthropic") ?? expect.fail("no Anthropic");
  const [, jpeg = bytes("")] = formats[0] ?? [];

  it("may have a type that only the container shows", async () => {
    for (const [type, head] of [
      ["audio/webm", bytes("\x1a\x45\xdf\xa3\x9f\x42\x82\x84webm")],
      ["audio/mp4", bytes("\0\0\0\x20ftypisom\0\0\0\0")],
      ["audio/opus", bytes("OggS\0\x02")],
      ["text/plain", bytes("BMW and ID3 tags")],
      ["text/markdown", bytes("OggS is the capture pattern")],
      ["text/plain", bytes("%PDF-1.7 is how a PDF begins")],
      ["text/html; charset=utf-8", bytes("GIF89a is a format, caf\xc3\xa9 is none\r\n")],
      ["image/png", bytes("\x01")],
    ] as const) {
      expect((await sent(dialect, type, head)).told, type).toEqual([]);
    }
  });

  it("may be a data: URL, also in a tool result", async () => {
    const url = `data:image/jpg;base64,${jpeg.toString("base64")}`;
    const media = { case: "media" as const, value: { source: { case: "url" as const, value: url } } };
    const call = { kind: { case: "toolCall" as const, value: { id: "c", name: "look", argumentsJson: "{}" } } };
    const result = { kind: { case: "toolResult" as const, value: { toolCallId: "c", parts: [{ kind: media }] } } };
    const { body } = await planFor(dialect, {
      messages: [
        { role: Role.USER, parts: [{ kind: media }] },
        { role: Role.ASSISTANT, parts: [call] },
        { role: Role.TOOL, parts: [result] },
      ],
    });
    const source = { type: "base64", media_type: "image/jpeg", data: jpeg.toString("base64") };
    const image = { type: "image", source };
    expect(body.messages).toMatchObject([
      { content: [image] },
      {},
      { content: [{ type: "tool_result", content: [image] }] },
    ]);
  });

  it.each([
    ["data:text/plain,caf%C3%A9%20au%20lait", "text/plain", "café au lait"],
    ["data:text/plain;charset=iso-8859-1,caf%E9%20au%20lait", "text/plain", "café au lait"],
    ["data:,100%%20caf%c3%A9", "text/plain", "100% café"],
    ["data:text/plain;charset=utf-8;base64,Y2Fmw6k=", "text/plain", "café"],
    ["data:;base64,Y2Fmw6k=", "text/plain", "café"],
  ])("may be the data: URL %s", async (value, mediaType, text) => {
    const media = { case: "media" as const, value: { source: { case: "url" as const, value } } };
    const { body, warnings } = await planFor(dialect, { messages: [{ role: Role.USER, parts: [{ kind: media }] }] });
    const source = { type: "text", media_type: mediaType, data: text };
    expect(body.messages).toMatchObject([{ content: [{ type: "document", source }] }]);
    expect(warnings).toEqual([]);
  });

  it("may be a data: URL of bytes without base64, or without a type", async () => {
    const escaped = Array.from(jpeg, (byte) => `%${byte.toString(16).padStart(2, "0")}`).join("");
    for (const value of [`data:image/jpeg,${escaped}`, `data:;base64,${jpeg.toString("base64")}`]) {
      const media = { case: "media" as const, value: { source: { case: "url" as const, value } } };
      const { body, warnings } = await planFor(dialect, { messages: [{ role: Role.USER, parts: [{ kind: media }] }] });
      const source = { type: "base64", media_type: "image/jpeg", data: jpeg.toString("base64") };
      expect(body.messages).toMatchObject([{ content: [{ type: "image", source }] }]);
      // The URL states no other type.
      expect(warnings).toEqual([]);
    }
  });

  it("is text in UTF-8 for the provider, whatever its encoding is", async () => {
    const { body } = await planFor(dialect, {
      messages: [{ role: Role.USER, parts: [mediaPart("Text/Plain; charset=ISO-8859-1", bytes("caf\xe9"))] }],
    });
    expect(JSON.stringify(body)).toContain("café");
  });
});

describe("media that only some servers take", () => {
  const urlPart = (value: string, mediaType = "") => ({
    kind: { case: "media" as const, value: { source: { case: "url" as const, value }, mediaType } },
  });
  const pdf = urlPart("https://files.example/report.pdf");
  const film = urlPart("https://files.example/film", "video/mp4");
  const clip = mediaPart("video/mp4", bytes("\0\0\0\x20ftypisom\0\0\0\0"));
  const sound = mediaPart("audio/flac", bytes("fLaC\0\0\0\x22"));

  async function contentOf(name: string, part: typeof pdf | typeof clip): Promise<unknown> {
    const found = dialects.find((one) => one.name === name) ?? expect.fail(`no ${name}`);
    const { capabilities: _, ...model } = found.model;
    const { body } = await planFor(found, { messages: [{ role: Role.USER, parts: [part] }] }, model);
    const [message] = body.messages as readonly { readonly content: readonly unknown[] }[];
    return message?.content[0];
  }

  it.each([
    [
      "openrouter",
      pdf,
      { type: "file", file: { file_data: "https://files.example/report.pdf", filename: "document.pdf" } },
    ],
    ["openrouter", film, { type: "video_url", video_url: { url: "https://files.example/film" } }],
    ["openrouter", clip, { type: "video_url", video_url: { url: expect.stringMatching(/^data:video\/mp4;base64,/) } }],
    ["openrouter", sound, { type: "input_audio", input_audio: { data: expect.any(String), format: "flac" } }],
    ["vllm", film, { type: "video_url", video_url: { url: "https://files.example/film" } }],
    ["sglang", clip, { type: "video_url", video_url: { url: expect.stringMatching(/^data:/) } }],
    ["moonshot", clip, { type: "video_url", video_url: { url: expect.stringMatching(/^data:/) } }],
  ])("is sent to %s (%#)", async (name, part, expected) => {
    expect(await contentOf(name, part)).toEqual(expected);
  });

  it.each([
    ["openai", pdf],
    ["openai", film],
    ["azure-openai", clip],
    ["groq", clip],
    ["deepinfra", sound],
    ["vllm", pdf],
  ])("is rejected for %s, with the field (%#)", async (name, part) => {
    await expect(contentOf(name, part)).rejects.toMatchObject({
      reason: "UNSUPPORTED_PARAMETER",
      facts: { fields: [{ field: ["messages", 0, "parts", 0, "media"] }] },
    });
  });
});
