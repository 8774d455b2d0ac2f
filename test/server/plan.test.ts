import { toJsonString } from "@bufbuild/protobuf";
import llama3Tokenizer from "llama3-tokenizer-js";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { PlanChatResponseSchema } from "../../src/gen/dragoman/v1/chat_service_pb.js";
import { Role } from "../../src/gen/dragoman/v1/message_pb.js";
import { Profile } from "../../src/gen/dragoman/v1/profile_pb.js";
import { UsageQuality } from "../../src/gen/dragoman/v1/usage_pb.js";
import { profiles } from "../../src/profiles/profiles.ts";
import { startReplayUpstream } from "../support/replay-upstream.ts";
import { ask } from "../support/requests.ts";
import { protocols, startTestService, type TestService } from "../support/service.ts";

let service: TestService;
let upstreamRequests: () => number;
beforeAll(async () => {
  const upstream = await startReplayUpstream();
  upstreamRequests = () => upstream.requests.length;
  service = await startTestService({ OPENAI_API_KEY: "sk-secret-key", OPENAI_BASE_URL: upstream.baseUrl });
});
afterAll(() => service.stop());

describe.each(protocols)("PlanChat over %s", (protocol) => {
  it("returns the upstream request without sending it and without the API key", async () => {
    const plan = await service.chatClient(protocol).planChat({
      chat: ask("openai/gpt-4o", "hello", {
        instructions: "be terse",
        parameters: {
          temperature: 0.7,
          topK: 5,
          maxOutputTokens: 100,
          n: 2,
          seedValue: { case: "unsignedSeed", value: 18446744073709551615n },
        },
      }),
    });
    expect(plan).toMatchObject({
      model: "openai/gpt-4o",
      provider: "openai",
      profile: Profile.PLAIN,
      outputTokensLimit: 200,
      consideredTargets: [{ target: "openai/gpt-4o", usable: true, rejection: "" }],
    });
    expect(plan.messages.map(({ role }) => role)).toEqual([Role.SYSTEM, Role.USER]);
    expect(plan.effectiveParameters).toMatchObject({
      temperature: 0.7,
      seedValue: { case: "unsignedSeed", value: 18446744073709551615n },
    });
    expect(plan.consideredTargets).toMatchObject([{ target: "openai/gpt-4o", usable: true, rejection: "" }]);
    expect(plan.effectiveParameters?.topK).toBeUndefined();
    expect(plan.warnings).toMatchObject([{ reason: "UNSUPPORTED_PARAMETER", field: "parameters.top_k" }]);
    expect(plan.providerRequestJson).toContain('"seed":18446744073709551615');
    expect(JSON.parse(plan.providerRequestJson)).toMatchObject({ model: "gpt-4o", temperature: 0.7, stream: true });
    expect(toJsonString(PlanChatResponseSchema, plan)).not.toContain("sk-secret-key");
    expect(upstreamRequests()).toBe(0);
  });
});

/** Starts a service with a configuration file and returns its PlanChat method. */
async function plannerOf(file: object) {
  const planner = await startTestService({}, undefined, JSON.stringify(file));
  onTestFinished(() => planner.stop());
  return planner.chatClient("grpc").planChat;
}

describe("PlanChat", () => {
  it("returns the profile's defaults, the remaining messages and the rendered prompt", async () => {
    const plan = await plannerOf({ providers: { "llm-engine": { enabled: true, api_key: "k" } } });
    const turn = (role: Role, text: string) => ({ role, parts: [{ kind: { case: "text", value: text } as const }] });
    const shown = await plan({
      chat: ask("llama-3-8b-instruct", "", {
        profile: Profile.EGP_CHAT,
        messages: [turn(Role.USER, "one"), turn(Role.ASSISTANT, "two"), turn(Role.USER, "three")],
        memoryStrategy: { strategy: { case: "lastK", value: { k: 1 } } },
        chatTemplate: "{% for message in messages %}<{{ message.role }}>{% endfor %}",
      }),
    });
    expect(shown.profile).toBe(Profile.EGP_CHAT);
    expect(shown.warnings).toMatchObject([{ reason: "ADDED", field: "instructions" }]);
    expect(shown.messages.map(({ parts }) => parts[0]?.kind.value)).toEqual([
      profiles["egp-chat"].instructions,
      "three",
    ]);
    expect(shown.renderedPrompt).toBe("<system><user>");
    expect(shown.effectiveParameters).toMatchObject({ temperature: 0.2 });
    expect(shown.outputTokensLimit).toBe(shown.effectiveParameters?.maxOutputTokens);
    expect(shown.inputTokens).toBeGreaterThan(0);
  });

  it("merges system messages with a warning: profiles cerebras and egp-deployment", async () => {
    const provider = { enabled: true, api_key: "k" };
    const plan = await plannerOf({
      providers: { cerebras: provider, openai: provider },
      deployments: { d: { model: "gpt-4o" } },
    });
    const turn = (role: Role, text: string) => ({ role, parts: [{ kind: { case: "text", value: text } as const }] });
    const messages = [turn(Role.SYSTEM, "one"), turn(Role.USER, "hi"), turn(Role.SYSTEM, "two")];
    const sentTo = async (model: string, profile = Profile.UNSPECIFIED) => {
      const { providerRequestJson, warnings } = await plan({ chat: ask(model, "", { messages, profile }) });
      const sent: { messages: { content: unknown }[] } = JSON.parse(providerRequestJson);
      return { sent: sent.messages.map(({ content }) => content), warned: warnings.map(({ field }) => field) };
    };
    const merged = { sent: ["one\n\ntwo", "hi"], warned: ["messages[2]"] };
    expect(await sentTo("llama3.1-8b", Profile.CEREBRAS)).toEqual(merged);
    expect(await sentTo("deployments/d")).toEqual(merged);
    for (const model of ["gpt-4o", "openai/gpt-4o", "llama3.1-8b", "cerebras/llama3.1-8b"]) {
      expect(await sentTo(model)).toEqual({ sent: ["one", "hi", "two"], warned: [] });
    }
  });

  it("reports whether the input token count is exact or estimated", async () => {
    const planChat = service.chatClient("grpc").planChat;
    const qualityOf = async (model: string) => (await planChat({ chat: ask(model, "hello") })).inputTokensQuality;
    expect(await qualityOf("gpt-4o")).toBe(UsageQuality.EXACT);
    expect(await qualityOf("openai/some-new-model")).toBe(UsageQuality.ESTIMATED);
  });

  it("counts a built-in template's prompt exactly and estimates a caller's template", async () => {
    const engine = await startTestService(
      { LLM_ENGINE_API_KEY: "k", LLM_ENGINE_BASE_URL: "http://127.0.0.1:9" },
      (config) => config,
      "providers: { llm-engine: { options: { api: v1 } } }",
    );
    onTestFinished(() => engine.stop());
    const { planChat } = engine.chatClient("grpc");
    const stock = await planChat({ chat: ask("llm-engine/llama-3-8b-instruct", "How far is Samarkand?") });
    const tokens = llama3Tokenizer.encode(stock.renderedPrompt, { bos: true, eos: false }).length;
    expect(stock).toMatchObject({ inputTokens: tokens, inputTokensQuality: UsageQuality.EXACT });
    const chatTemplate = "{{ messages[0].content }}";
    const own = await planChat({ chat: ask("llm-engine/llama-3-8b-instruct", "How far?", { chatTemplate }) });
    expect(own).toMatchObject({ renderedPrompt: "How far?", inputTokensQuality: UsageQuality.ESTIMATED });
    expect(own.inputTokens).toBeLessThan(tokens);
  });

  it("limits output tokens by the request, the model and the remaining context window", async () => {
    const plan = await plannerOf({
      models: {
        open: { provider: "echo" },
        windowed: { provider: "echo", context_window: 1000 },
        limited: { provider: "echo", context_window: 1000, max_output_tokens: 50 },
      },
    });
    const boundOf = async (model: string, parameters = {}) => {
      const { outputTokensLimit, inputTokens } = await plan({ chat: ask(model, "hello there", { parameters }) });
      return { outputTokensLimit, inputTokens };
    };
    expect((await boundOf("open")).outputTokensLimit).toBe(0);
    expect((await boundOf("open", { maxOutputTokens: 7, n: 3 })).outputTokensLimit).toBe(21);
    const { outputTokensLimit, inputTokens } = await boundOf("windowed");
    // The limit subtracts only the lower bound of the estimated prompt tokens.
    expect(outputTokensLimit).toBeGreaterThanOrEqual(1000 - inputTokens);
    expect(outputTokensLimit).toBeLessThan(1000);
    expect((await boundOf("limited")).outputTokensLimit).toBe(50);
    expect((await boundOf("limited", { n: 2 })).outputTokensLimit).toBe(100);
    // The product exceeds int32, so the field has its maximum.
    expect((await boundOf("open", { maxOutputTokens: 2 ** 31 - 1, n: 2 })).outputTokensLimit).toBe(2 ** 31 - 1);
  });

  it("returns no secret of the configuration", async () => {
    const plan = await plannerOf({
      providers: {
        openai: {
          enabled: true,
          api_key: "secret-key",
          headers: { "openai-project": "secret-project" },
        },
      },
    });
    expect(JSON.stringify(await plan({ chat: ask("gpt-4o", "hello") }))).not.toContain("secret");
  });
});
