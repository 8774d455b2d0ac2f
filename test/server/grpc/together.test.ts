import { once } from "node:events";
import { expect, it, onTestFinished } from "vitest";
import { streamEnd, textChunk } from "../../support/openai-wire.ts";
import { openGrpcStream } from "../../support/raw-stream.ts";
import { startReplayUpstream } from "../../support/replay-upstream.ts";
import { ask } from "../../support/requests.ts";
import { startTestService } from "../../support/service.ts";

const words = Array.from({ length: 10 }, (_, index) => `word-${index}`);

it("sends `started` and all deltas that the provider sent together in one HTTP/2 frame", async () => {
  await using upstream = await startReplayUpstream({ steps: [{ write: words.map(textChunk).join("") + streamEnd }] });
  const service = await startTestService({ VLLM_BASE_URL: upstream.baseUrl });
  onTestFinished(() => service.stop());
  const { body, destroy } = await openGrpcStream(service.grpcAddress, ask("vllm/m", "hi"));
  onTestFinished(destroy);
  const frames: string[] = [];
  body.on("data", (frame: Buffer) => frames.push(frame.toString("latin1")));
  await once(body.resume(), "end");
  expect(frames[0]).toContain("chatcmpl-");
  expect(words.filter((word) => !frames[0]?.includes(word))).toEqual([]);
});
