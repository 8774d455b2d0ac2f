import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { formatPath } from "../../../src/field-path.ts";
import { type ChatRequest, ChatRequestSchema } from "../../../src/gen/dragoman/v1/chat_request_pb.js";
import { Role } from "../../../src/gen/dragoman/v1/message_pb.js";
import { ToolChoiceMode } from "../../../src/gen/dragoman/v1/tool_pb.js";
import { checkSupport } from "../../../src/providers/bedrock/adaptations.ts";
import { toRequest } from "../../../src/providers/bedrock/request.ts";
import { stringifyExact } from "../../../src/providers/kit/exact-json.ts";
import { applyAdaptations } from "../../support/planning.ts";
import { model, sonnet } from "./harness.ts";

const nova = "us.amazon.nova-pro-v1:0";
const hinted = (value: string, seconds?: bigint) => ({
  kind: { case: "text" as const, value },
  cacheHint: seconds === undefined ? {} : { ttl: { seconds } },
});
const user = (...parts: ReturnType<typeof hinted>[]) => ({ role: Role.USER, parts });
const point = { cachePoint: { type: "default" } };

/** What is sent to a model, how many marks are in it, and what the caller is told. */
function translate(providerModel: string, more: Exclude<MessageInitShape<typeof ChatRequestSchema>, ChatRequest>) {
  const asked = create(ChatRequestSchema, more);
  const adaptations = checkSupport(asked, model(providerModel));
  const { request } = applyAdaptations(asked, adaptations);
  const json = stringifyExact(toRequest(request, model(providerModel), "bedrock"));
  return {
    body: JSON.parse(json),
    marks: json.split('"cachePoint"').length - 1,
    told: adaptations
      .filter(({ field }) => field.at(-1) === "cache_hint")
      .map(({ kind, field }) => `${kind} ${formatPath(field)}`),
  };
}

describe("a cache point", () => {
  it("follows only what is sent: empty text has none, and the caller is told", () => {
    const messages = [user(hinted(""), hinted("a"))];
    const { body, told } = translate(sonnet, { messages });
    expect(body.messages).toEqual([{ role: "user", content: [{ text: "a" }, point] }]);
    expect(told).toEqual(["EMULATED messages[0].parts[0].cache_hint"]);
  });

  it("is not in a system of empty text either", () => {
    const messages = [{ role: Role.SYSTEM, parts: [hinted("")] }, user(hinted("a"))];
    const { body, marks } = translate(sonnet, { messages });
    expect(body).not.toHaveProperty("system");
    expect(marks).toBe(1);
  });

  // "Cache point cannot be inserted after reasoning block." https://github.com/anomalyco/opencode/issues/36517
  it("never follows a thought, which Bedrock rejects", () => {
    const thought = {
      kind: { case: "reasoning" as const, value: { text: "Hm." } },
      providerState: { provider: "bedrock", model: sonnet, data: Buffer.from("sig") },
      cacheHint: {},
    };
    const messages = [user(hinted("a")), { role: Role.ASSISTANT, parts: [thought] }, user(hinted("b"))];
    const { body, marks, told } = translate(sonnet, { messages });
    expect(body.messages[1].content).toEqual([
      { reasoningContent: { reasoningText: { text: "Hm.", signature: "sig" } } },
    ]);
    expect(marks).toBe(2);
    expect(told).toEqual(["EMULATED messages[1].parts[0].cache_hint"]);
  });

  it.each([
    sonnet,
    nova,
  ])("is one of at most four for %s: of more, those of the longest beginnings are kept", (name) => {
    const tools = [{ name: "weather", cacheHint: {} }];
    const system = { role: Role.SYSTEM, parts: [hinted("Be brief.")] };
    const four = [system, user(hinted("a"), hinted("b"))];
    expect(translate(name, { tools, messages: four })).toMatchObject({ marks: 4, told: [] });
    const five = [system, user(hinted("a"), hinted("b"), hinted(""), hinted("c"))];
    const { body, marks, told } = translate(name, { tools, messages: five });
    expect(marks).toBe(4);
    expect(body.toolConfig.tools).toHaveLength(1);
    expect(body.system).toEqual([{ text: "Be brief." }, point]);
    expect(body.messages[0].content).toEqual([{ text: "a" }, point, { text: "b" }, point, { text: "c" }, point]);
    expect(told).toEqual(["EMULATED tools[0].cache_hint", "EMULATED messages[1].parts[2].cache_hint"]);
  });

  it("is kept on messages where the tools that have one are left out", () => {
    const tools = [{ name: "weather", cacheHint: {} }];
    const toolChoice = { choice: { case: "mode" as const, value: ToolChoiceMode.NONE } };
    const messages = [user(hinted("a"), hinted("b"), hinted("c"), hinted("d"))];
    expect(translate(nova, { tools, toolChoice, messages }).marks).toBe(4);
  });

  it("lives five minutes or an hour", () => {
    const { body } = translate(sonnet, { messages: [user(hinted("a", 3600n), hinted("b", 300n), hinted("c"))] });
    const lives = body.messages[0].content.flatMap((block: { cachePoint?: { ttl?: string } }) =>
      block.cachePoint ? [block.cachePoint.ttl] : [],
    );
    expect(lives).toEqual(["1h", "5m", undefined]);
  });

  it("is not given to models without a cache, and the caller is told once", () => {
    const { body, told } = translate("us.meta.llama3-3-70b-instruct-v1:0", {
      messages: [user(hinted(""), hinted("a"))],
    });
    expect(body.messages).toEqual([{ role: "user", content: [{ text: "a" }] }]);
    expect(told).toEqual(["EMULATED messages[0].parts[0].cache_hint"]);
  });
});
