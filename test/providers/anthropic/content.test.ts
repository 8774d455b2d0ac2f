import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { describe, expect, it, onTestFinished } from "vitest";
import { formatPath } from "../../../src/field-path.ts";
import { type ChatRequest, ChatRequestSchema } from "../../../src/gen/dragoman/v1/chat_request_pb.js";
import { type PartSchema, Role } from "../../../src/gen/dragoman/v1/message_pb.js";
import { ModelSchema } from "../../../src/gen/dragoman/v1/model_pb.js";
import {
  begin,
  end,
  json,
  more,
  sse,
  start,
  stop,
  text as textEvents,
} from "../../contract/fixtures/anthropic-wire.ts";
import { declared } from "../../contract/fixtures/chat-completions.ts";
import { replayRequest } from "../../contract/replay-request.ts";
import { applyAdaptations } from "../../support/planning.ts";
import { startReplayUpstream } from "../../support/replay-upstream.ts";
import { ask } from "../../support/requests.ts";
import { startTestService } from "../../support/service.ts";
import { providerTool } from "../../support/tools.ts";

type Fields = Exclude<MessageInitShape<typeof ChatRequestSchema>, ChatRequest>;
type PartInit = MessageInitShape<typeof PartSchema>;

const adapter = declared("anthropic")("http://127.0.0.1:9");
const text = (value: string) => ({ kind: { case: "text" as const, value } });
const user = (...parts: PartInit[]) => ({ role: Role.USER, parts });
const said = (...parts: PartInit[]) => ({ role: Role.ASSISTANT, parts });
const state = (data: string, provider = "anthropic") => ({ provider, model: "", data: Buffer.from(data) });
const server = (data?: string): PartInit => ({
  kind: { case: "serverToolCall", value: { id: "s_1", name: "web_search", inputJson: '{"a":1}' } },
  ...(data !== undefined && { providerState: state(data) }),
});
const media = (mediaType: string, citable?: boolean): PartInit => ({
  kind: {
    case: "media",
    value: { source: { case: "fileId", value: "file_1" }, mediaType, ...(citable !== undefined && { citable }) },
  },
});

/** Returns the adaptations as `KIND field`, and the upstream body unless one of them rejects the request. */
function translate(fields: Fields, providerModel = "claude-sonnet-4-5") {
  const model = create(ModelSchema, { id: `anthropic/${providerModel}`, provider: "anthropic", providerModel });
  const request = create(ChatRequestSchema, { model: model.id, messages: [user(text("Hi"))], ...fields });
  const adaptations = adapter.checkSupport(request, model);
  const limits = adaptations.map(({ kind, field }) => `${kind} ${formatPath(field)}`);
  if (limits.some((limit) => limit.startsWith("REJECTED"))) return { limits };
  return {
    limits,
    body: JSON.parse(JSON.stringify(adapter.describe(applyAdaptations(request, adaptations).request, model))),
  };
}

async function serve(wires: readonly string[], yaml?: string) {
  const upstream = await startReplayUpstream(...wires.map((write) => ({ steps: [{ write }] })));
  onTestFinished(() => upstream[Symbol.asyncDispose]());
  const environment = { ANTHROPIC_API_KEY: "k", ANTHROPIC_BASE_URL: upstream.baseUrl };
  const service = await startTestService(environment, undefined, yaml);
  onTestFinished(() => service.stop());
  return { client: service.chatClient("grpc"), upstream };
}

const hello = sse(start(), ...textEvents(0, "Hello"), ...end("end_turn"));

describe("a turn that Anthropic paused", () => {
  it.each(["claude-opus-5-5", "claude-sonnet-4-6", "claude-haiku-4-5"])("can be continued by %s", (name) => {
    const paused = translate(
      { messages: [user(text("Hi")), said(text("a"), server('{"type":"server_tool_use"}'))] },
      name,
    );
    expect(paused.limits).toEqual([]);
    expect(paused.body.messages[1].content[1]).toEqual({
      type: "server_tool_use",
      id: "s_1",
      name: "web_search",
      input: { a: 1 },
    });
  });

  it("is told from a prefill, which newer models reject", () => {
    const { limits } = translate({ messages: [user(text("Hi")), said(text("a"))] }, "claude-opus-5-5");
    expect(limits).toEqual(["REJECTED messages[1]"]);
  });
});

describe("blocks of Anthropic's tools", () => {
  it.each([undefined, "", "{", "[]", "null", '"}],"model":"x"', "{}"])("are left out with the state %s", (data) => {
    const { limits, body } = translate({
      messages: [user(text("Hi")), said(text("a"), server(data)), user(text("b"))],
    });
    expect(limits).toEqual(["LEFT_OUT messages[1].parts[1]"]);
    expect(body.messages[1].content).toEqual([{ type: "text", text: "a" }]);
  });

  it("can have cache hints", () => {
    const part = { ...server(`{"type":"server_tool_use"}`), cacheHint: {} } as PartInit;
    const { body } = translate({ messages: [user(text("Hi")), said(part), user(text("b"))] });
    expect(body.messages[1].content[0]).toMatchObject({ cache_control: { type: "ephemeral" } });
  });

  it("are left out if the response ended in the middle of a call", async () => {
    const call = { type: "server_tool_use", id: "s_1", name: "web_search", input: {} };
    const cut = sse(
      start(),
      ...textEvents(0, "I look."),
      begin(1, call),
      more(1, json('{"query":"ro')),
      stop(1),
      ...end("max_tokens"),
    );
    const { client, upstream } = await serve([cut, hello]);
    const model = "anthropic/claude-sonnet-4-6";
    const { completion } = await client.completeChat({ chat: ask(model, "hello") });
    if (completion === undefined) return expect.fail("no completion");
    expect(completion.choices[0]?.message?.parts[1]?.kind.value).toMatchObject({ inputJson: '{"query":"ro' });
    const next = await client.completeChat({ chat: replayRequest(model, completion, {}) });
    expect(next.completion?.warnings.map(({ reason, field }) => [reason, field])).toEqual([
      ["LEFT_OUT", "messages[1].parts[1]"],
    ]);
    expect(JSON.parse(upstream.requests[1]?.body ?? "").messages[1].content).toEqual([
      { type: "text", text: "I look." },
    ]);
  });
});

describe("content for Anthropic", () => {
  it("names the toolset of a call in its result", () => {
    const call = { case: "toolCall" as const, value: { id: "t_1", name: "click", argumentsJson: "{}" } };
    const result = { case: "toolResult" as const, value: { toolCallId: "t_1", parts: [text("done")] } };
    const { body } = translate({
      messages: [
        user(text("Hi")),
        said({ kind: call, providerState: state('{"toolset_name":"browser"}') }),
        { role: Role.TOOL, parts: [{ kind: result }] },
      ],
    });
    expect(body.messages[2].content[0]).toEqual({
      type: "tool_result",
      tool_use_id: "t_1",
      content: "done",
      toolset_name: "browser",
    });
  });

  it("has only citations that Anthropic made", () => {
    const own = '{"type":"char_location","cited_text":"a"}';
    const cited = { ...text("a"), citations: [{ citedText: "b" }, { providerState: state(own) }] };
    const { limits, body } = translate({ messages: [user(text("Hi")), said(cited), user(text("b"))] });
    expect(limits).toEqual(["LEFT_OUT messages[1].parts[0].citations"]);
    expect(body.messages[1].content[0].citations).toEqual([JSON.parse(own)]);
  });

  it("has no citations of which only documents are the source", () => {
    const { limits, body } = translate({ messages: [user(media("image/png", true), media("application/pdf", false))] });
    expect(limits).toEqual(["UNSUPPORTED_PARAMETER messages[0].parts[0].media.citable"]);
    expect(body.messages[0].content).toEqual([
      { type: "image", source: { type: "file", file_id: "file_1" } },
      { type: "document", citations: { enabled: false }, source: { type: "file", file_id: "file_1" } },
    ]);
  });

  it("has no blank text in search results", () => {
    const found = { case: "searchResult" as const, value: { source: "a", texts: ["far", " "] } };
    expect(translate({ messages: [user({ kind: found })] }).limits).toEqual([
      "REJECTED messages[0].parts[0].search_result.texts[1]",
    ]);
  });

  it("has files for the code execution tool only in messages", () => {
    const file = {
      kind: {
        case: "media" as const,
        value: { source: { case: "fileId" as const, value: "f" }, mediaType: "text/csv" },
      },
    };
    const call = { case: "toolCall" as const, value: { id: "t_1", name: "find" } };
    const result = { case: "toolResult" as const, value: { toolCallId: "t_1", parts: [file] } };
    const messages = [user(text("Hi")), said({ kind: call }), { role: Role.TOOL, parts: [{ kind: result }] }];
    expect(translate({ messages }).limits).toEqual(["REJECTED messages[2].parts[0].tool_result.parts[0].media"]);
  });
});

describe("betas of Anthropic", () => {
  const betasOf = (betas: Exclude<Fields["providerOptions"], undefined>[string][string]) =>
    translate({ providerOptions: { anthropic: { betas } } });

  it.each([
    ["a-1"],
    [["a\r\nx: y"]],
    [[1]],
    [null],
    [Array.from({ length: 65 }, () => "a")],
  ])("cannot be %j", (betas) => {
    expect(betasOf(betas).limits).toEqual(["REJECTED provider_options.anthropic.betas"]);
  });

  it("are sent as a header, and not in the body", async () => {
    expect(betasOf(["a-2026-01-01"]).body).not.toHaveProperty("betas");
    const { client, upstream } = await serve([hello, hello]);
    const model = "anthropic/claude-sonnet-4-6";
    await client.completeChat({ chat: ask(model, "hi") });
    expect(upstream.requests[0]?.headers).not.toHaveProperty("anthropic-beta");
    const providerOptions = { anthropic: { betas: ["a-2026-01-01", "b"], context_management: { edits: [] } } };
    await client.completeChat({ chat: ask(model, "hi", { providerOptions }) });
    expect(upstream.requests[1]?.headers["anthropic-beta"]).toBe("a-2026-01-01,b,context-management-2025-06-27");
  });

  it("are added to those of the operator's header", async () => {
    const yaml = "providers: { anthropic: { headers: { anthropic-beta: 'operator-1, mcp-client-2099-01-01' } } }";
    const { client, upstream } = await serve([hello], yaml);
    const tools = [
      providerTool({ provider: "anthropic", type: "mcp_toolset", configJson: '{"mcp_server_name":"a"}' }),
      providerTool({ provider: "anthropic", type: "advisor_20260301" }),
    ];
    await client.completeChat({ chat: ask("anthropic/claude-sonnet-4-6", "hi", { tools }) });
    const expected = "operator-1,mcp-client-2099-01-01,advisor-tool-2026-03-01";
    expect(upstream.requests[0]?.headers["anthropic-beta"]).toBe(expected);
  });
});
