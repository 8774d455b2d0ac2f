import { expect, it, onTestFinished } from "vitest";
import { startOtlpReceiver } from "../support/otlp-receiver.ts";
import { startReplayUpstream } from "../support/replay-upstream.ts";
import { parsePage, startObserved, sumOf } from "./harness.ts";

const json = { "content-type": "application/json" };
const body = JSON.stringify({ model: "claude-sonnet-5", messages: [{ role: "user", content: "how many?" }] });

it("a count of a provider has metrics and a span, and takes only a rejected key out of use", async () => {
  const reply = (status: number, answer: object) => ({
    ...{ status, headers: json },
    steps: [{ write: JSON.stringify(answer) }],
  });
  const rejected = { type: "error", error: { type: "authentication_error", message: "invalid x-api-key" } };
  const failed = { type: "error", error: { type: "api_error", message: "down" } };
  await using upstream = await startReplayUpstream(
    reply(401, rejected),
    ...Array.from({ length: 4 }, () => reply(500, failed)),
    reply(200, { input_tokens: 17 }),
  );
  const receiver = await startOtlpReceiver();
  onTestFinished(() => receiver[Symbol.asyncDispose]());
  const yaml = `
    breaker: { consecutive: 1 }
    providers:
      anthropic: { base_url: "${upstream.baseUrl}", keys: [{ name: a, value: key-a }, { name: b, value: key-b }] }
  `;
  const { service, scrape } = await startObserved(yaml, { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url });
  const count = async () => {
    const url = `http://${service.httpAddress}/v1/messages/count_tokens`;
    return (await fetch(url, { method: "POST", headers: json, body })).json();
  };
  const counts: unknown[] = [];
  for (let round = 0; round < 6; round++) counts.push(await count());
  expect(counts.at(-1)).toEqual({ input_tokens: 17 });

  const keys = upstream.requests.map(({ headers }) => headers["x-api-key"]);
  expect(new Set(keys.slice(1))).toEqual(new Set([keys[0] === "key-a" ? "key-b" : "key-a"]));
  const page = parsePage(await scrape());
  const of = (outcome: string) =>
    sumOf(page, "dragoman_attempts_total", { target: "anthropic/claude-sonnet-5", outcome });
  expect([of("failed"), of("answered")]).toEqual([5, 1]);
  await service.stop();
  const spans = receiver.spans.filter(({ kind }) => kind === "client");
  expect(spans.map(({ name, status }) => [name, status])).toEqual([
    ...Array.from({ length: 5 }, () => ["count_tokens claude-sonnet-5", "error"]),
    ["count_tokens claude-sonnet-5", "unset"],
  ]);
  expect(spans[0]?.attributes).toMatchObject({
    "gen_ai.operation.name": "count_tokens",
    "error.type": "PROVIDER_CREDENTIALS_REJECTED",
  });
});
