import { expect, it, onTestFinished } from "vitest";
import { createFold } from "../../src/chat/stream/fold.ts";
import { AttemptOutcome } from "../../src/gen/dragoman/v1/attempt_pb.js";
import { FinishReason } from "../../src/gen/dragoman/v1/completion_pb.js";
import { UsageQuality } from "../../src/gen/dragoman/v1/usage_pb.js";
import { delta, finish, streamed, whole } from "../behaviours/wire.ts";
import { type Script, startReplayUpstream } from "../support/replay-upstream.ts";
import { ask } from "../support/requests.ts";
import { startTestService } from "../support/service.ts";

async function start(name: string, ...scripts: readonly Script[]) {
  const upstream = await startReplayUpstream(...scripts);
  onTestFinished(() => upstream[Symbol.asyncDispose]());
  const service = await startTestService({ [`${name}_API_KEY`]: "k", [`${name}_BASE_URL`]: upstream.baseUrl });
  onTestFinished(() => service.stop());
  return { client: service.chatClient("grpc"), upstream };
}

const stopSequences = ["END", "\n\n"];
const warning = expect.objectContaining({ reason: "EMULATED", field: "parameters.stop_sequences" });

it.each([
  ["OPENAI", "openai/o3"],
  ["PERPLEXITY", "perplexity/sonar"],
])("ends a whole response of a model without stop sequences: %s", async (name, model) => {
  const { client, upstream } = await start(name, whole({ content: "One END two\n\n" }));
  const chat = ask(model, "Count", { parameters: { stopSequences }, strictParameters: true });
  const { completion } = await client.completeChat({ chat });
  expect(JSON.parse(upstream.requests[0]?.body ?? "")).not.toHaveProperty("stop");
  expect(completion?.choices).toMatchObject([
    {
      finishReason: FinishReason.STOP,
      matchedStopSequence: "END",
      message: { parts: [{ kind: { case: "text", value: "One " } }] },
    },
  ]);
  expect(completion?.warnings).toContainEqual(warning);
});

it("ends a stream at a stop sequence across deltas, and aborts the upstream request", async () => {
  const begun = ["One E", "N", "D two"].map(
    (content) => `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content } }] })}\n\n`,
  );
  const steps = [...begun.map((write) => ({ write })), { hold: new Promise<never>(() => {}) }];
  const { client, upstream } = await start("OPENAI", { steps });
  const arrived = upstream.nextRequest();
  const fold = createFold();
  for await (const { event } of client.streamChat({
    chat: ask("openai/o3", "Count", { parameters: { stopSequences } }),
  })) {
    if (event.case !== undefined) fold.add(event);
  }
  await (await arrived).aborted;
  const { choices, usage, attempts, warnings } = fold.completion;
  expect(choices).toMatchObject([{ finishReason: FinishReason.STOP, matchedStopSequence: "END" }]);
  expect(choices[0]?.message?.parts[0]?.kind).toEqual({ case: "text", value: "One " });
  expect(usage?.quality).toBe(UsageQuality.ESTIMATED);
  expect(attempts).toMatchObject([{ outcome: AttemptOutcome.ANSWERED }]);
  expect(warnings).toContainEqual(warning);
});

it("keeps the calls before a stop sequence, and the warnings about them", async () => {
  const call = (index: number) => ({ index, id: "a", type: "function", function: { name: "look", arguments: "{}" } });
  const calls = delta({ tool_calls: [call(0), call(1)] });
  const { client } = await start("OPENAI", streamed(calls, delta({ content: "One END two" }), finish()));
  const fold = createFold();
  const chat = ask("openai/o3", "Count", { parameters: { stopSequences } });
  for await (const { event } of client.streamChat({ chat })) if (event.case !== undefined) fold.add(event);
  expect(fold.completion.choices[0]?.message?.parts.map(({ kind }) => kind)).toMatchObject([
    { case: "toolCall", value: { id: "a", argumentsJson: "{}" } },
    { case: "toolCall", value: { id: "a_2", argumentsJson: "{}" } },
    { case: "text", value: "One " },
  ]);
  expect(fold.completion.warnings.map(({ reason }) => reason)).toContain("INFERRED");
});

it("ends a response at a stop sequence that the provider does not accept, and sends the others", async () => {
  const { client, upstream } = await start("OPENAI", streamed(delta({ content: "One FIFTH two" }), finish()));
  const stopSequences = ["1", "2", "3", "4", "FIFTH"];
  const chat = ask("openai/gpt-4o", "Count", { parameters: { stopSequences }, strictParameters: true });
  const fold = createFold();
  for await (const { event } of client.streamChat({ chat })) if (event.case !== undefined) fold.add(event);
  expect(JSON.parse(upstream.requests[0]?.body ?? "")).toMatchObject({ stop: ["1", "2", "3", "4"] });
  expect(fold.completion).toMatchObject({
    choices: [{ finishReason: FinishReason.STOP, matchedStopSequence: "FIFTH" }],
    warnings: [{ message: expect.stringMatching(/openai supports at most 4 stop sequences: Dragoman ends/) }],
  });
});

it("sends stop sequences to a model that supports them, such as o3-mini", async () => {
  const { client, upstream } = await start("OPENAI", streamed(delta({ content: "One END" }), finish()));
  const chat = ask("openai/o3-mini", "Count", { parameters: { stopSequences } });
  for await (const { event } of client.streamChat({ chat })) expect(event.case).toBeDefined();
  expect(JSON.parse(upstream.requests[0]?.body ?? "")).toMatchObject({ stop: stopSequences });
});
