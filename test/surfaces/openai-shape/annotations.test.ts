import { expect, it, onTestFinished } from "vitest";
import { delta, finish, streamed, whole } from "../../behaviours/wire.ts";
import { type Script, startReplayUpstream } from "../../support/replay-upstream.ts";
import { pricesOf, startTestService } from "../../support/service.ts";

async function start(...scripts: readonly Script[]) {
  const upstream = await startReplayUpstream(...scripts);
  onTestFinished(() => upstream[Symbol.asyncDispose]());
  const environment = { OPENROUTER_API_KEY: "k", OPENROUTER_BASE_URL: upstream.baseUrl };
  const service = await startTestService(environment, undefined, pricesOf("openrouter/x"));
  onTestFinished(() => service.stop());
  const post = (body: object) =>
    fetch(`http://${service.httpAddress}/v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ model: "openrouter/x", ...body }),
    });
  return { post, sent: () => JSON.parse(upstream.requests.at(-1)?.body ?? "") };
}

const annotation = {
  type: "url_citation",
  url_citation: { start_index: 10, end_index: 12, url: "https://a.example", title: "A" },
};
const choice = { native_finish_reason: "end" };
const text = "Grüße aus 世界";
const question = { role: "user", content: "hi" };

it("returns citations, sources and facts of the provider, and accepts the message back", async () => {
  const response = whole({ content: text, annotations: [annotation] }, { choice, citations: ["https://b.example"] });
  const { post, sent } = await start(response, whole({ content: "Yes." }));
  const reply = await post({ messages: [question] });
  expect(reply.headers.get("x-dragoman-warnings")).toBeNull();
  const body = JSON.parse(await reply.text());
  const source = { start_index: 0, end_index: 0, url: "https://b.example", title: "" };
  const { message, provider_metadata } = body.choices[0];
  expect(provider_metadata).toEqual(choice);
  expect(message.annotations).toEqual([annotation, { type: "url_citation", url_citation: source }]);
  const next = await post({ messages: [question, message, question] });
  expect(next.status).toBe(200);
  const [, back] = sent().messages;
  expect(back.annotations[0].url_citation).toMatchObject({ start_index: 10, end_index: 12, url: "https://a.example" });
});

it("streams citations after the text that they are about", async () => {
  const { post } = await start(
    streamed(
      delta({ content: "Grüße " }),
      delta({ content: "aus 世界" }),
      delta({ annotations: [annotation] }),
      finish(),
    ),
  );
  const stream = await (await post({ messages: [question], stream: true })).text();
  const chunks = [...stream.matchAll(/^data: (\{.*)$/gm)].map(([, data = ""]) => JSON.parse(data));
  const deltas = chunks.flatMap(({ choices }) => choices.map((one: { delta: object }) => one.delta));
  expect(deltas).toContainEqual({ annotations: [annotation] });
});
