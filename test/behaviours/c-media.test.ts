import { expect } from "vitest";
import { MediaDetail } from "../../src/gen/dragoman/v1/media_pb.js";
import { Role } from "../../src/gen/dragoman/v1/message_pb.js";
import { ask } from "../support/requests.ts";
import { behaviour } from "./behaviour.ts";
import { asEgpChat, failureOf, paths, says, startStage, wrongPlaces } from "./support.ts";

const url = "https://example.com/cat.png";
const base64 = Buffer.from("not really a cat").toString("base64");
const dataUri = `data:image/png;base64,${base64}`;
const imageUrl = (address: string, detail?: string) => ({
  type: "image_url",
  image_url: { url: address, ...(detail !== undefined && { detail }) },
});
const imageData = (more: object = {}) => ({
  type: "image_data",
  image_data: { type: "base64", media_type: "image/png", data: base64, ...more },
});
const shown = (source: { case: "url"; value: string } | { case: "data"; value: Uint8Array<ArrayBuffer> }) => ({
  messages: [
    { role: Role.USER, parts: [{ kind: { case: "media" as const, value: { source, mediaType: "image/png" } } }] },
  ],
});
const bytes = new TextEncoder().encode("not really a cat");

/** A DeepInfra model that the catalog does not list, so Dragoman knows none of its limitations. */
const unlisted = "vendor/some-model";

behaviour(34, async () => {
  const { post, sent, service, backend } = await startStage({ openai: [], anthropic: [] });
  const { completeChat } = service.chatClient("grpc");
  expect(await post(paths.egpChat, { model: "gpt-4o", messages: says([imageUrl(url)]) })).toMatchObject({
    status: 200,
  });
  expect(sent("openai").messages).toContainEqual({ role: "user", content: [imageUrl(url)] });
  await completeChat({ chat: ask("gpt-4o", "", { ...asEgpChat, ...shown({ case: "url", value: url }) }) });
  expect(sent("openai").messages).toContainEqual({ role: "user", content: [imageUrl(url)] });

  const claude = "claude-3-opus-20240229";
  const rejected = await post(paths.egpChat, { model: claude, messages: says([imageUrl(url)]) });
  expect(rejected.status).toBe(400);
  expect(wrongPlaces(rejected)).toEqual(["body.messages.0.content.0"]);
  const chat = ask(claude, "", { ...asEgpChat, ...shown({ case: "url", value: url }) });
  expect(await failureOf(completeChat({ chat }))).toMatchObject({
    code: "InvalidArgument",
    reason: "UNSUPPORTED_PARAMETER",
  });
  expect(backend("anthropic").requests).toHaveLength(0);
  // The same model accepts image data.
  expect(await post(paths.egpChat, { model: claude, messages: says([imageData()]) })).toMatchObject({ status: 200 });
});

behaviour(35, async () => {
  const { post, sent, asked } = await startStage({ openai: [], anthropic: [] });
  for (const detail of ["low", "high", "auto"]) {
    const messages = says([imageData({ detail })]);
    expect(await post(paths.egpChat, { model: "gpt-4o", messages })).toMatchObject({ status: 200 });
    expect(sent("openai").messages).toContainEqual({ role: "user", content: [imageUrl(dataUri, detail)] });
  }
  await post(paths.egpChat, { model: "claude-3-opus-20240229", messages: says([imageData()]) });
  expect(sent("anthropic").messages).toMatchObject([
    { content: [{ type: "image", source: { type: "base64", media_type: "image/png", data: base64 } }] },
  ]);
  const before = asked();
  const wrong = [
    [{ type: "hex" }, "type"],
    [{ detail: "huge" }, "detail"],
    [{ data: "%%%" }, "data"],
    [{ media_type: "text/html" }, "media_type"],
    [{ media_type: undefined }, "media_type"],
  ] as const;
  for (const [more, field] of wrong) {
    const rejected = await post(paths.egpChat, { model: "gpt-4o", messages: says([imageData(more)]) });
    expect([rejected.status, wrongPlaces(rejected)]).toEqual([422, [`body.messages.0.content.0.image_data.${field}`]]);
  }
  expect(asked()).toBe(before);
});

behaviour(36, async () => {
  const { post, service, asked } = await startStage({ openai: [], "llm-engine": [], deepinfra: [] });
  const { completeChat } = service.chatClient("grpc");
  for (const model of ["llama-2-7b-chat", "gpt-4"]) {
    const rejected = await post(paths.egpChat, { model, messages: says([imageData()]) });
    expect(rejected).toMatchObject({ status: 400, body: { detail: [{ msg: expect.stringContaining("image") }] } });
    expect(wrongPlaces(rejected)).toEqual(["body.messages.0.content.0"]);
    expect(
      await failureOf(completeChat({ chat: ask(model, "", shown({ case: "data", value: bytes })) })),
    ).toMatchObject({
      code: "InvalidArgument",
      reason: "UNSUPPORTED_PARAMETER",
      fields: ["chat.messages[0].parts[0].media"],
    });
  }
  const messages = says([imageUrl(dataUri)]);
  expect(await post(paths.deepinfra, { model: "meta-llama/Llama-2-70b-chat-hf", messages })).toMatchObject({
    status: 400,
    body: { error: { param: "messages.0.content.0" } },
  });
  expect(asked()).toBe(0);
});

behaviour(37, async () => {
  const { post, sent, service, asked } = await startStage({ deepinfra: [] });
  for (const address of [url, dataUri]) {
    expect(await post(paths.deepinfra, { model: unlisted, messages: says([imageUrl(address)]) })).toMatchObject({
      status: 200,
    });
    expect(sent("deepinfra").messages).toEqual([{ role: "user", content: [imageUrl(address, "auto")] }]);
    await post(paths.deepinfra, { model: unlisted, messages: says([imageUrl(address, "high")]) });
    expect(sent("deepinfra").messages).toEqual([{ role: "user", content: [imageUrl(address, "high")] }]);
  }
  const source = { case: "url" as const, value: url };
  const media = { kind: { case: "media" as const, value: { source, detail: MediaDetail.AUTO } } };
  const chat = ask(`deepinfra/${unlisted}`, "", { messages: [{ role: Role.USER, parts: [media] }] });
  await service.chatClient("grpc").completeChat({ chat });
  expect(sent("deepinfra").messages).toEqual([{ role: "user", content: [imageUrl(url, "auto")] }]);
  const before = asked();
  const rejected = await post(paths.deepinfra, { model: unlisted, messages: says([imageUrl(url, "huge")]) });
  expect(wrongPlaces(rejected)).toEqual(["body.messages.0.content.0.image_url.detail"]);
  expect(asked()).toBe(before);
});

behaviour(38, async () => {
  const { post, sent, service, asked } = await startStage({ deepinfra: [] });
  const sound = (format?: string) => ({
    type: "input_audio",
    input_audio: { data: base64, ...(format && { format }) },
  });
  for (const [asks, arrives] of [
    [undefined, "wav"],
    ["wav", "wav"],
    ["mp3", "mp3"],
  ] as const) {
    const messages = says([sound(asks)]);
    expect(await post(paths.deepinfra, { model: unlisted, messages })).toMatchObject({ status: 200 });
    expect(sent("deepinfra").messages).toEqual([{ role: "user", content: [sound(arrives)] }]);
  }
  const before = asked();
  const rejected = await post(paths.deepinfra, { model: unlisted, messages: says([sound("ogg")]) });
  expect([rejected.status, wrongPlaces(rejected)]).toEqual([422, ["body.messages.0.content.0.input_audio.format"]]);
  const source = { case: "data" as const, value: bytes };
  const ogg = { kind: { case: "media" as const, value: { source, mediaType: "audio/ogg" } } };
  const chat = ask(`deepinfra/${unlisted}`, "", { messages: [{ role: Role.USER, parts: [ogg] }] });
  expect(await failureOf(service.chatClient("grpc").completeChat({ chat }))).toMatchObject({
    code: "InvalidArgument",
    reason: "UNSUPPORTED_PARAMETER",
    fields: [expect.stringMatching(/^chat\.messages\[0\]\.parts\[0\]/)],
  });
  expect(asked()).toBe(before);
});

behaviour(39, async () => {
  const { post, asked } = await startStage({ deepinfra: [] });
  const content = [{ type: "text", text: "see" }, imageUrl(url)];
  const call = { id: "call_1", type: "function", function: { name: "look", arguments: "{}" } };
  const conversations = [
    [{ role: "system", content }, ...says("hi")],
    [{ role: "assistant", content }, ...says("hi")],
    [
      { role: "assistant", content: null, tool_calls: [call] },
      { role: "tool", tool_call_id: "call_1", content },
    ],
  ];
  for (const messages of conversations) {
    const rejected = await post(paths.deepinfra, { model: unlisted, messages });
    const at = messages.findIndex((message) => message.content === content);
    expect([rejected.status, wrongPlaces(rejected)]).toEqual([422, [`body.messages.${at}.content.1.type`]]);
  }
  expect(asked()).toBe(0);
  expect(await post(paths.deepinfra, { model: unlisted, messages: says(content) })).toMatchObject({ status: 200 });
});
