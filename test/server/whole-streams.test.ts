import { describe, expect, it, onTestFinished } from "vitest";
import { Modality } from "../../src/gen/dragoman/v1/modality_pb.js";
import { startReplayUpstream } from "../support/replay-upstream.ts";
import { ask } from "../support/requests.ts";
import { startTestService } from "../support/service.ts";

const body = {
  id: "up-1",
  choices: [{ index: 0, message: { role: "assistant", content: '{"a":1}' }, finish_reason: "stop" }],
  usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 },
};

const cases = [
  {
    name: "JSON of Cerebras",
    provider: "CEREBRAS",
    chat: ask("cerebras/gpt-oss-120b", "a city, as JSON", {
      outputFormat: { format: { case: "jsonObject", value: {} } },
    }),
    field: "output_format",
  },
  {
    name: "WAV audio of OpenAI",
    provider: "OPENAI",
    chat: ask("openai/gpt-audio", "hi", {
      responseModalities: [Modality.TEXT, Modality.AUDIO],
      audioOutput: { voice: "alloy", mediaType: "audio/wav" },
    }),
    field: "audio_output.media_type",
  },
];

describe("output that a provider does not stream", () => {
  it.each(cases)("causes a warning only in streams: $name", async ({ provider, chat, field }) => {
    await using upstream = await startReplayUpstream({
      headers: { "content-type": "application/json" },
      steps: [{ write: JSON.stringify(body) }],
    });
    const environment = { [`${provider}_API_KEY`]: "key", [`${provider}_BASE_URL`]: upstream.baseUrl };
    const service = await startTestService(environment);
    onTestFinished(() => service.stop());
    const client = service.chatClient("grpc");
    const { completion } = await client.completeChat({ chat });
    expect(completion?.warnings).toEqual([]);
    const warnings: unknown[] = [];
    for await (const { event } of client.streamChat({ chat })) {
      if (event.case === "started") warnings.push(...event.value.warnings);
    }
    expect(warnings).toMatchObject([{ reason: "EMULATED", field }]);
  });
});
