import { create } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { formatPath } from "../../../../src/field-path.ts";
import { FinishReason } from "../../../../src/gen/dragoman/v1/completion_pb.js";
import { MessageSchema, Role } from "../../../../src/gen/dragoman/v1/message_pb.js";
import { ReasoningEffort } from "../../../../src/gen/dragoman/v1/reasoning_pb.js";
import { ToolChoiceMode } from "../../../../src/gen/dragoman/v1/tool_pb.js";
import { declared, modelOf, text, thought, toolCall } from "../../../contract/fixtures/chat-completions.ts";
import { streamFrom } from "../../../support/attempt.ts";
import { startReplayUpstream } from "../../../support/replay-upstream.ts";
import { functionTool } from "../../../support/tools.ts";
import { collect, request } from "../harness.ts";

type Asked = Parameters<typeof request>[0];

const offline = declared("moonshot")("http://127.0.0.1:9");
const { NONE, LOW, MEDIUM, HIGH, MAX } = ReasoningEffort;
const effort = (value: ReasoningEffort) => ({ reasoning: { control: { case: "effort" as const, value } } });

function body(asked: Asked) {
  return JSON.parse(JSON.stringify(offline.describe(request(asked), modelOf("moonshot", "kimi-k3"))));
}

function limits(providerModel: string, asked: Asked) {
  const found = offline.checkSupport(request(asked), modelOf("moonshot", providerModel));
  return found.map(({ kind, field }) => `${kind} ${formatPath(field)}`);
}

describe("Moonshot's models", () => {
  it("sends either an effort or thinking off, never both", () => {
    expect(body(effort(HIGH))).toMatchObject({ reasoning_effort: "high" });
    expect(body(effort(HIGH))).not.toHaveProperty("thinking");
    expect(body(effort(NONE))).toMatchObject({ thinking: { type: "disabled" } });
    expect(body(effort(NONE))).not.toHaveProperty("reasoning_effort");
  });

  it.each<[string, readonly ReasoningEffort[], readonly string[]]>([
    ["kimi-k3.1-pro", [LOW, HIGH, MAX], []],
    ["kimi-k3", [NONE, MEDIUM], ["REJECTED reasoning.effort"]],
    ["kimi-k2.6", [NONE], []],
    ["kimi-k2.6", [LOW, MAX], ["EMULATED reasoning.effort"]],
    ["kimi-k2.7-code", [NONE], ["REJECTED reasoning.effort"]],
    ["kimi-k2.7-code", [LOW], ["EMULATED reasoning.effort"]],
    ["moonshot-v1-8k", [NONE, LOW], ["UNSUPPORTED_PARAMETER reasoning.effort"]],
    ["kimi-k2-0905-preview", [NONE, LOW], ["UNSUPPORTED_PARAMETER reasoning.effort"]],
    ["kimi-k2-thinking", [LOW], ["EMULATED reasoning.effort"]],
    // Newer models than the known ones have their rules.
    ["kimi-k9", [NONE, MEDIUM], ["REJECTED reasoning.effort"]],
    ["kimi-k4-pro", [LOW, HIGH, MAX], []],
    ["kimi-latest", [MEDIUM], ["REJECTED reasoning.effort"]],
    ["another-model", [NONE, MEDIUM], []],
  ])("checks the efforts of %s: %j", (name, efforts, expected) => {
    for (const value of efforts) expect(limits(name, effort(value))).toEqual(expected);
  });

  it("drops sampling fields for Kimi models", () => {
    const parameters = { temperature: 0.5, topP: 0.9, presencePenalty: 1, frequencyPenalty: 0 };
    expect(limits("kimi-k3", { parameters })).toEqual([
      "UNSUPPORTED_PARAMETER parameters.temperature",
      "UNSUPPORTED_PARAMETER parameters.top_p",
      "UNSUPPORTED_PARAMETER parameters.presence_penalty",
    ]);
    expect(limits("moonshot-v1-8k", { parameters })).toEqual([]);
  });

  it("rejects a required tool choice while models before K3 reason", () => {
    const toolChoice = { choice: { case: "mode" as const, value: ToolChoiceMode.REQUIRED } };
    const asked = { tools: [functionTool({ name: "f" })], toolChoice };
    expect(limits("kimi-k2.6", asked)).toEqual(["REJECTED tool_choice.mode"]);
    expect(limits("kimi-k2.7-code", asked)).toEqual(["REJECTED tool_choice.mode"]);
    expect(limits("kimi-k2.6", { ...asked, ...effort(NONE) })).toEqual([]);
    expect(limits("kimi-k3", asked)).toEqual([]);
  });

  it("accepts images only as bytes", () => {
    const image = (source: { case: "url"; value: string } | { case: "data"; value: Uint8Array }) => ({
      messages: [
        { role: Role.USER, parts: [{ kind: { case: "media" as const, value: { source, mediaType: "image/png" } } }] },
      ],
    });
    expect(limits("kimi-k3", image({ case: "data", value: Uint8Array.of(1) }))).toEqual([]);
    expect(limits("kimi-k3", image({ case: "url", value: "https://example.com/a.png" }))).toEqual([
      "REJECTED messages[0].parts[0].media",
    ]);
  });

  it("sends empty parameters for a tool without any, since Moonshot requires them", () => {
    const { tools } = body({ tools: [functionTool({ name: "now" })] });
    expect(tools[0].function.parameters).toEqual({ type: "object", properties: {} });
  });

  it("sends reasoning back on every turn, and on tool calls even if it is empty", () => {
    const turn = (parts: Parameters<typeof create<typeof MessageSchema>>[1]) => create(MessageSchema, parts);
    const user = turn({ role: Role.USER, parts: [text("a")] });
    const messages = [
      turn({ role: Role.ASSISTANT, parts: [thought("Hm."), text("b")] }),
      turn({ role: Role.ASSISTANT, parts: [text("b")] }),
      turn({ role: Role.ASSISTANT, parts: [toolCall("call_a", "f", "{}")] }),
      turn({ role: Role.ASSISTANT, parts: [thought("So."), toolCall("call_b", "f", "{}")] }),
      user,
    ];
    const replayed = (clearEarlierReasoning: boolean) =>
      body({ messages, reasoning: { clearEarlierReasoning } })
        .messages.slice(0, 4)
        .map(({ reasoning_content }: { reasoning_content?: string }) => reasoning_content);
    expect(replayed(false)).toEqual(["Hm.", undefined, "", "So."]);
    expect(replayed(true)).toEqual([undefined, undefined, "", "So."]);
  });

  it("reports a blocked prompt as a choice with CONTENT_FILTER", async () => {
    const error = { type: "content_filter", message: "The request was rejected because it was considered high risk" };
    await using upstream = await startReplayUpstream({
      status: 400,
      headers: { "content-type": "application/json" },
      steps: [{ write: JSON.stringify({ error }) }],
    });
    const adapter = declared("moonshot")(upstream.baseUrl);
    const { events } = await collect(streamFrom(adapter, request(), modelOf("moonshot", "kimi-k3")).events);
    await adapter.close?.();
    expect(events[1]).toMatchObject({ case: "finished", value: { finishReason: FinishReason.CONTENT_FILTER } });
  });
});
