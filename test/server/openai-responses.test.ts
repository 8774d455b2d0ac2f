import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createFold } from "../../src/chat/stream/fold.ts";
import { ReasoningFormat } from "../../src/gen/dragoman/v1/reasoning_pb.js";
import { answer, message, reasoning, whole } from "../contract/fixtures/openai-responses.ts";
import { type ReplayUpstream, type Script, startReplayUpstream } from "../support/replay-upstream.ts";
import { ask } from "../support/requests.ts";
import { startTestService, type TestService } from "../support/service.ts";
import { providerTool } from "../support/tools.ts";

// Calls that OpenAI's Responses API serves, from each of Dragoman's own APIs.

const search = {
  id: "ws_1",
  type: "web_search_call",
  status: "completed",
  action: { type: "search", query: "roads to Oslo" },
};
const thought = reasoning([["I look."]], "gAAA==");
const citation = { type: "url_citation", url: "https://a.example", title: "Roads", start_index: 0, end_index: 3 };
const found = answer([
  thought,
  whole(search, "web_search_call.in_progress", "web_search_call.completed"),
  message(["Far", " away."], { annotations: [citation], message: { phase: "final_answer" } }),
]);
const plain = answer([message(["Hi"])]);

const rejected: Script = {
  status: 400,
  headers: { "content-type": "application/json" },
  steps: [
    {
      write: JSON.stringify({
        error: { message: "No.", type: "invalid_request_error", param: "include", code: "unsupported_parameter" },
      }),
    },
  ],
};

let upstream: ReplayUpstream;
let service: TestService;
beforeAll(async () => {
  const wires = [found, plain, plain, found, plain, found, found];
  upstream = await startReplayUpstream(...wires.map((wire) => ({ steps: [{ write: wire }] })), rejected, {
    steps: [{ write: plain }],
  });
  service = await startTestService({ OPENAI_API_KEY: "k", OPENAI_BASE_URL: `${upstream.baseUrl}/v1` });
});
afterAll(async () => {
  await service.stop();
  await upstream[Symbol.asyncDispose]();
});

async function post(path: string, body: object) {
  const response = await fetch(`http://${service.httpAddress}${path}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  const warnings: readonly { readonly reason: string; readonly message: string }[] = JSON.parse(
    response.headers.get("x-dragoman-warnings") ?? "[]",
  );
  return { status: response.status, text: await response.text(), warnings };
}

function lastRequest() {
  const { path, body } = upstream.requests.at(-1) ?? expect.fail("nothing was sent");
  return { path, body: JSON.parse(body) };
}

const sentMessage = {
  type: "message",
  role: "assistant",
  phase: "final_answer",
  content: [{ type: "output_text", text: "Far away.", annotations: [citation] }],
};

describe("OpenAI's Responses API behind Dragoman", () => {
  it("runs the web search of /v1/responses, and gets its items back unchanged", async () => {
    const request = {
      model: "openai/gpt-5.2",
      tools: [{ type: "web_search", search_context_size: "low" }],
      reasoning: { effort: "low", summary: "auto" },
      include: ["reasoning.encrypted_content", "web_search_call.action.sources"],
    };
    const first = await post("/v1/responses", { ...request, input: "How far?" });
    expect(first.status).toBe(200);
    expect(first.warnings.filter(({ reason }) => reason !== "PRICE_UNKNOWN")).toEqual([]);
    expect(lastRequest()).toMatchObject({
      path: "/v1/responses",
      body: {
        store: false,
        stream: false,
        include: ["reasoning.encrypted_content", "web_search_call.action.sources"],
        reasoning: { effort: "low", summary: "auto" },
        tools: [{ type: "web_search", search_context_size: "low" }],
      },
    });
    const { output, usage } = JSON.parse(first.text);
    expect(output.map(({ type }: { type: string }) => type)).toContain("web_search_call");
    expect(usage).toMatchObject({ input_tokens: 9, output_tokens: 5 });
    const user = (text: string) => ({ role: "user", content: text });
    const next = await post("/v1/responses", { ...request, input: [user("How far?"), ...output, user("And back?")] });
    expect(next.status).toBe(200);
    expect(lastRequest().body.input).toEqual([user("How far?"), thought.item, search, sentMessage, user("And back?")]);
  });

  it("takes items of OpenAI's own that a caller of /v1/responses has", async () => {
    const input = [{ role: "user", content: "How far?" }, thought.item, search, { role: "user", content: "And?" }];
    const { status } = await post("/v1/responses", { model: "openai/gpt-5.2", input });
    expect(status).toBe(200);
    expect(lastRequest().body.input).toEqual(input);
  });

  it("streams to /v1/responses with the events of a search", async () => {
    const { text } = await post("/v1/responses", {
      ...{ model: "openai/gpt-4o", input: "How far?", stream: true },
      tools: [{ type: "web_search" }],
    });
    for (const type of ["response.web_search_call.completed", "response.output_text.delta", "response.completed"]) {
      expect(text).toContain(`event: ${type}\n`);
    }
  });

  it("serves /v1/chat/completions with a model that only it has", async () => {
    const { status, text, warnings } = await post("/v1/chat/completions", {
      model: "gpt-5-pro",
      messages: [{ role: "user", content: "hi" }],
      max_completion_tokens: 100,
      stop: ["i"],
      seed: 7,
    });
    expect(status).toBe(200);
    expect(JSON.parse(text).choices).toMatchObject([{ message: { content: "H" }, finish_reason: "stop" }]);
    expect(lastRequest()).toMatchObject({
      path: "/v1/responses",
      body: { model: "gpt-5-pro", max_output_tokens: 100 },
    });
    expect(lastRequest().body).not.toHaveProperty("stop");
    expect(warnings.map(({ reason }) => reason).sort()).toEqual(["EMULATED", "UNSUPPORTED_PARAMETER"]);
  });

  it("serves CompleteChat and StreamChat alike, with summaries, searches and citations", async () => {
    const client = service.chatClient("grpc");
    const chat = ask("openai/gpt-5.2", "How far?", {
      tools: [providerTool({ type: "web_search" })],
      reasoning: { format: ReasoningFormat.PARSED },
    });
    const { completion } = await client.completeChat({ chat });
    const parts = completion?.choices[0]?.message?.parts ?? [];
    expect(parts.map(({ kind }) => kind.case)).toEqual(["reasoning", "serverToolCall", "text"]);
    expect(parts[2]).toMatchObject({ citations: [{ start: 0, end: 3, source: { value: { title: "Roads" } } }] });
    expect(completion?.usage).toMatchObject({ serverToolRequests: { web_search_requests: 1 } });
    const fold = createFold();
    for await (const { event } of client.streamChat({ chat })) if (event.case !== undefined) fold.add(event);
    expect(fold.completion.choices).toEqual(completion?.choices);
  });

  it("rejects a response in the background, and options that the chosen API has a field for", async () => {
    const client = service.chatClient("grpc");
    const options = { background: true, reasoning: { effort: "low" } };
    const chat = ask("openai/gpt-5.2", "hi", { providerOptions: { openai: options } });
    await expect(client.completeChat({ chat })).rejects.toThrow(
      /background.*use StreamChat or CompleteChat.*reasoning\.effort.*use reasoning\.effort/s,
    );
  });

  it("shows in PlanChat the body for the API that serves the call", async () => {
    const client = service.chatClient("grpc");
    const bodyOf = async (model: string) =>
      JSON.parse((await client.planChat({ chat: ask(model, "hi") })).providerRequestJson);
    expect(await bodyOf("gpt-5-pro")).toMatchObject({ input: [{ role: "user", content: "hi" }], stream: true });
    expect(await bodyOf("openai/gpt-4o")).toMatchObject({ messages: [{ role: "user", content: "hi" }] });
  });

  it("lists the parameters of models that only it has", async () => {
    const { model } = await service.modelClient("grpc").getModel({ id: "gpt-5-pro" });
    expect(model?.reasoningEfforts).toHaveLength(1);
    expect(model?.supportedParameters).toContain("tools");
    expect(model?.supportedParameters).not.toContain("parameters.seed");
  });

  it("leaves out encrypted reasoning for a model that rejects it, and never store", async () => {
    const chat = ask("openai/gpt-5.4-pro", "hi");
    const { completion } = await service.chatClient("grpc").completeChat({ chat });
    expect(completion?.warnings).toMatchObject([{ reason: "LEARNED", field: "provider_options.openai.include" }]);
    const [first, second] = upstream.requests.slice(-2).map(({ body }) => JSON.parse(body));
    expect(first).toMatchObject({ store: false, include: ["reasoning.encrypted_content"] });
    expect(second).toMatchObject({ store: false });
    expect(second).not.toHaveProperty("include");
  });
});
