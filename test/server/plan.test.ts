import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Role } from "../../src/gen/dragoman/v1/message_pb.js";
import { startReplayUpstream } from "../support/replay-upstream.ts";
import { ask } from "../support/requests.ts";
import { protocols, startTestService, type TestService } from "../support/service.ts";

let service: TestService;
let asked: () => number;
beforeAll(async () => {
  const upstream = await startReplayUpstream();
  asked = () => upstream.requests.length;
  service = await startTestService({ OPENAI_API_KEY: "sk-secret-key", OPENAI_BASE_URL: upstream.baseUrl });
});
afterAll(() => service.stop());

describe.each(protocols)("PlanChat over %s", (protocol) => {
  it("shows what would be sent, without sending it and without the key", async () => {
    const plan = await service.chatClient(protocol).planChat({
      chat: ask("openai/gpt-4o", "hello", {
        instructions: "be terse",
        parameters: { temperature: 0.7, topK: 5, maxOutputTokens: 100, n: 2, seed: "18446744073709551615" },
      }),
    });
    expect(plan).toMatchObject({
      model: "openai/gpt-4o",
      provider: "openai",
      profile: "plain",
      outputTokensLimit: 200,
    });
    expect(plan.messages.map(({ role }) => role)).toEqual([Role.SYSTEM, Role.USER]);
    expect(plan.effectiveParameters).toMatchObject({ temperature: 0.7, seed: "18446744073709551615" });
    expect(plan.effectiveParameters?.topK).toBeUndefined();
    expect(plan.warnings).toMatchObject([{ reason: "UNSUPPORTED_PARAMETER", field: "parameters.top_k" }]);
    expect(plan.providerRequestJson).toContain('"seed":18446744073709551615');
    expect(JSON.parse(plan.providerRequestJson)).toMatchObject({ model: "gpt-4o", temperature: 0.7, stream: true });
    expect(JSON.stringify(plan)).not.toContain("sk-secret-key");
    expect(asked()).toBe(0);
  });
});
