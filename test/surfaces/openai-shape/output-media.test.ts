import { describe, expect, it, onTestFinished } from "vitest";
import { delta, finish, streamed, whole } from "../../behaviours/wire.ts";
import { type Script, startReplayUpstream } from "../../support/replay-upstream.ts";
import { pricesOf, startTestService } from "../../support/service.ts";

const models = { OPENAI: "openai/gpt-audio", OPENROUTER: "openrouter/x", GEMINI: "gemini/gemini-2.5-flash" };

async function start(provider: keyof typeof models, ...scripts: readonly Script[]) {
  const upstream = await startReplayUpstream(...scripts);
  onTestFinished(() => upstream[Symbol.asyncDispose]());
  const environment = { [`${provider}_API_KEY`]: "k", [`${provider}_BASE_URL`]: upstream.baseUrl };
  const service = await startTestService(environment, undefined, pricesOf(models[provider]));
  onTestFinished(() => service.stop());
  const post = (body: object) =>
    fetch(`http://${service.httpAddress}/v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ model: models[provider], ...body }),
    });
  return { post, sent: () => JSON.parse(upstream.requests.at(-1)?.body ?? "") };
}

interface Delta {
  readonly content?: string | null;
  readonly audio?: Readonly<Record<string, string | number>>;
  readonly images?: readonly object[];
}

async function deltasOf(response: Response): Promise<readonly Delta[]> {
  const stream = await response.text();
  const chunks = [...stream.matchAll(/^data: (\{.*)$/gm)].map(([, data = ""]) => JSON.parse(data));
  return chunks.flatMap(({ choices }) => choices.map((one: { delta: Delta }) => one.delta));
}

/** Joins the audio of a stream as the OpenAI clients do. */
function joinAudio(deltas: readonly Delta[]): Readonly<Record<string, unknown>> {
  const joined: Record<string, string | number> = {};
  for (const { audio = {} } of deltas) {
    for (const [name, value] of Object.entries(audio)) {
      joined[name] = name === "data" || name === "transcript" ? `${joined[name] ?? ""}${value}` : value;
    }
  }
  return joined;
}

const base64 = (bytes: readonly number[]) => Buffer.from(bytes).toString("base64");
const bytes = Array.from({ length: 1000 }, (_, index) => index % 256);
const expiry = 4_000_000_000;
const audio = { id: "audio_1", data: base64(bytes), transcript: "Hello there.", expires_at: expiry };
const question = { role: "user", content: "hi" };
const speech = { modalities: ["text", "audio"], audio: { voice: "alloy", format: "wav" } };
const picture = `data:image/png;base64,${base64([1, 2, 3, 4])}`;
const image = { type: "image_url", image_url: { url: picture } };

describe("audio over OpenAI's API", () => {
  it("is requested, returned whole and accepted back", async () => {
    const { post, sent } = await start("OPENAI", whole({ content: null, audio }), whole({ content: "Yes." }));
    const reply = await post({ messages: [question], ...speech });
    expect(reply.headers.get("x-dragoman-warnings")).toBeNull();
    expect(sent()).toMatchObject(speech);
    const { message } = JSON.parse(await reply.text()).choices[0];
    expect(message).toEqual({ role: "assistant", content: null, refusal: null, audio });
    for (const back of [message, { role: "assistant", audio: { id: audio.id } }]) {
      const next = await post({ messages: [question, back, question], ...speech });
      expect([next.status, next.headers.get("x-dragoman-warnings")]).toEqual([200, null]);
      expect(sent().messages[1]).toEqual({ role: "assistant", content: null, audio: { id: audio.id } });
    }
  });

  it.each([1, 2, 3, 5, 7, 100])("is streamed in pieces of %i bytes whose base64 can be joined", async (length) => {
    const pieces = Array.from({ length: Math.ceil(bytes.length / length) }, (_, index) =>
      delta({ audio: { data: base64(bytes.slice(index * length, (index + 1) * length)) } }),
    );
    const script = streamed(
      delta({ audio: { id: audio.id, transcript: "Hello " } }),
      ...pieces,
      delta({ audio: { transcript: "there." } }),
      delta({ audio: { expires_at: expiry } }),
      finish(),
    );
    const { post, sent } = await start("OPENAI", script);
    const streamedSpeech = { ...speech, audio: { voice: "alloy", format: "pcm16" } };
    const response = await post({ messages: [question], ...streamedSpeech, stream: true });
    expect(response.headers.get("x-dragoman-warnings")).toBeNull();
    const deltas = await deltasOf(response);
    expect(sent()).toMatchObject(streamedSpeech);
    expect(joinAudio(deltas)).toEqual(audio);
    const decoded = deltas.map(({ audio: piece }) => Buffer.from(String(piece?.data ?? ""), "base64"));
    expect(Buffer.concat(decoded)).toEqual(Buffer.from(bytes));
    expect(decoded.slice(0, -1).every((piece) => piece.length % 2 === 0)).toBe(true);
  });

  it("is delivered at once if the provider does not stream its format, with a warning", async () => {
    const { post } = await start("OPENAI", whole({ content: null, audio }));
    const response = await post({ messages: [question], ...speech, stream: true });
    expect(JSON.parse(response.headers.get("x-dragoman-warnings") ?? "")).toMatchObject([
      { reason: "EMULATED", field: "audio.format" },
    ]);
    expect(joinAudio(await deltasOf(response))).toEqual(audio);
  });

  it("goes back only to the provider that has it; the others get the transcript", async () => {
    const { post, sent } = await start(
      "OPENROUTER",
      whole({ audio }),
      whole({ content: "a" }),
      whole({ content: "b" }),
    );
    const reply = await post({ messages: [question], ...speech });
    const { message } = JSON.parse(await reply.text()).choices[0];
    expect(message.audio).toEqual({ ...audio, id: `openrouter:${audio.id}` });
    await post({ messages: [question, message, question] });
    expect(sent().messages[1].audio).toEqual({ id: audio.id });
    const foreign = { ...message, audio };
    const next = await post({ messages: [question, foreign, question] });
    expect(sent().messages[1]).toEqual({ role: "assistant", content: audio.transcript });
    expect(JSON.parse(next.headers.get("x-dragoman-warnings") ?? "")).toMatchObject([
      { reason: "EMULATED", field: "messages.1.audio" },
    ]);
  });

  it("is sent as its transcript to a model without audio input", async () => {
    const { post, sent } = await start("OPENAI", whole({ content: "Yes." }));
    const back = { role: "assistant", content: null, audio };
    const next = await post({ model: "openai/gpt-4o", messages: [question, back, question] });
    expect(next.status).toBe(200);
    expect(sent().messages[1]).toEqual({ role: "assistant", content: audio.transcript });
    expect(JSON.parse(next.headers.get("x-dragoman-warnings") ?? "")).toMatchObject([
      { reason: "EMULATED", field: "messages.1.audio" },
    ]);
  });

  it("without an id at its provider gets one, which expires at once", async () => {
    const inlineData = { mimeType: "audio/L16;codec=pcm;rate=24000", data: base64([1, 2, 3, 4]) };
    const body = {
      candidates: [{ content: { role: "model", parts: [{ inlineData }] }, finishReason: "STOP" }],
      usageMetadata: { promptTokenCount: 3, candidatesTokenCount: 2, totalTokenCount: 5 },
    };
    const script: Script = {
      headers: { "content-type": "application/json" },
      steps: [{ write: JSON.stringify(body) }],
    };
    const { post } = await start("GEMINI", script, script);
    const reply = await post({ messages: [question], modalities: ["audio"], audio: { voice: "Kore" } });
    const { message } = JSON.parse(await reply.text()).choices[0];
    expect(message.audio).toEqual({ id: "dragoman:audio_0", data: inlineData.data, transcript: "", expires_at: 0 });
    expect((await post({ messages: [question, message, question] })).status).toBe(200);
  });

  it.each([
    ["audio without the modality", { audio: { voice: "alloy" } }, "audio"],
    ["an unknown modality", { modalities: ["smell"] }, "modalities.0"],
    ["a repeated modality", { modalities: ["audio", "audio"] }, "modalities"],
    ["an unknown format", { ...speech, audio: { voice: "alloy", format: "midi" } }, "audio.format"],
    ["no voice", { ...speech, audio: { format: "wav" } }, "audio.voice"],
    ["a number as voice", { ...speech, audio: { voice: 5 } }, "audio.voice"],
    ["no audio object for a provider that needs one", { modalities: ["audio"] }, "audio"],
    ["no id", { messages: [question, { role: "assistant", audio: {} }, question] }, "messages.1.audio.id"],
  ])("rejects %s", async (_name, more, param) => {
    const { post } = await start("OPENAI");
    const response = await post({ messages: [question], ...more });
    expect([response.status, JSON.parse(await response.text()).error.param]).toEqual([400, param]);
  });

  it("takes the id of a custom voice as OpenAI does", async () => {
    const { post, sent } = await start("OPENAI", whole({ audio }));
    const custom = { voice: { id: "voice_1234" }, format: "mp3" };
    await post({ messages: [question], modalities: ["audio"], audio: custom });
    expect(sent().audio).toEqual(custom);
  });

  it("counts its tokens", async () => {
    const usage = {
      prompt_tokens: 9,
      completion_tokens: 7,
      total_tokens: 16,
      prompt_tokens_details: { audio_tokens: 4 },
      completion_tokens_details: { audio_tokens: 5 },
    };
    const { post } = await start("OPENAI", whole({ audio }, { usage }));
    const reply = await post({ messages: [question], ...speech });
    expect(JSON.parse(await reply.text()).usage).toMatchObject(usage);
  });
});

describe("images over OpenAI's API", () => {
  const drawing = { modalities: ["image", "text"] };

  it("are requested, returned whole and accepted back", async () => {
    const remote = { type: "image_url", image_url: { url: "https://images.example/a.png" } };
    const { post, sent } = await start(
      "OPENROUTER",
      whole({ content: "Here.", images: [image, remote] }),
      whole({ content: "Yes." }),
    );
    const reply = await post({ messages: [question], ...drawing });
    expect(reply.headers.get("x-dragoman-warnings")).toBeNull();
    expect(sent()).toMatchObject(drawing);
    const { message } = JSON.parse(await reply.text()).choices[0];
    expect(message).toEqual({ role: "assistant", content: "Here.", refusal: null, images: [image, remote] });
    const next = await post({ messages: [question, message, question] });
    expect([next.status, next.headers.get("x-dragoman-warnings")]).toEqual([200, null]);
    expect(sent().messages[1]).toMatchObject({ content: "Here.", images: [image, remote] });
    // The index is that of a stream's images.
    const indexed = { ...message, images: [{ ...image, index: 0 }] };
    expect((await post({ messages: [question, indexed, question] })).status).toBe(200);
  });

  it("are streamed, each as one URL", async () => {
    const second = { type: "image_url", image_url: { url: `data:image/webp;base64,${base64(bytes)}` } };
    const script = streamed(
      delta({ content: "Here" }),
      delta({ images: [image] }),
      delta({ content: "." }),
      delta({ images: [second] }),
      finish(),
    );
    const { post } = await start("OPENROUTER", script);
    const response = await post({ messages: [question], ...drawing, stream: true });
    expect(response.headers.get("x-dragoman-warnings")).toBeNull();
    const deltas = await deltasOf(response);
    expect(deltas.map(({ content }) => content ?? "").join("")).toBe("Here.");
    expect(deltas.flatMap(({ images = [] }) => images)).toEqual([
      { index: 0, ...image },
      { index: 1, ...second },
    ]);
  });

  it("that cannot go back to a provider are named in a warning", async () => {
    const { post, sent } = await start("OPENAI", whole({ content: "a" }));
    const back = { role: "assistant", content: "Here.", images: [image] };
    const response = await post({ messages: [question, back, question] });
    expect(sent().messages[1]).toEqual({ role: "assistant", content: "Here." });
    expect(JSON.parse(response.headers.get("x-dragoman-warnings") ?? "")).toMatchObject([
      { reason: "LEFT_OUT", field: "messages.1.images.0" },
    ]);
  });
});
