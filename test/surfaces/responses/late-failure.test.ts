import { createParser } from "eventsource-parser";
import { expect, it, onTestFinished } from "vitest";
import { responsesSurface } from "../../../src/surfaces/responses/surface.ts";
import { startReplayUpstream } from "../../support/replay-upstream.ts";
import { startSurface } from "../harness.ts";
import { checkEvents, type WireEvent } from "./event-rules.ts";

it("a stream begins and fails if the provider fails after Dragoman has sent the headers of a silent call", async () => {
  const { promise: waits, resolve: answer } = Promise.withResolvers<void>();
  const failure = { error: { message: "broken", type: "server_error" } };
  const upstream = await startReplayUpstream({
    status: 500,
    holdHeaders: waits,
    headers: { "content-type": "application/json" },
    steps: [{ write: JSON.stringify(failure) }],
  });
  onTestFinished(() => upstream[Symbol.asyncDispose]());
  const environment = { OPENAI_API_KEY: "k", OPENAI_BASE_URL: upstream.baseUrl };
  const { post, records } = await startSurface(responsesSurface, { environment, streamHeadersAfterMs: 1 });
  const response = await post({ model: "openai/gpt-4o", input: "hi", stream: true });
  expect(response.status).toBe(200);
  answer();
  const sent: WireEvent[] = [];
  const parser = createParser({ onEvent: ({ data }) => sent.push(JSON.parse(data)) });
  parser.feed(await response.text());
  expect(checkEvents(sent)).toMatchObject({
    id: expect.stringMatching(/^resp_./),
    status: "failed",
    error: { code: "server_error" },
    output: [],
  });
  expect(records).toMatchObject([{ outcome: "failed" }]);
});
