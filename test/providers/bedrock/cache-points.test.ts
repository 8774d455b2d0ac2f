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
import { functionTool } from "../../support/tools.ts";
import { model, sonnet } from "./harness.ts";

const nova = "us.amazon.nova-pro-v1:0";
const hinted = (value: string, seconds?: bigint) => ({
  kind: { case: "text" as const, value },
  cacheHint: seconds === undefined ? {} : { ttl: { seconds } },
});
const user = (...parts: ReturnType<typeof hinted>[]) => ({ role: Role.USER, parts });
const point = { cachePoint: { type: "default" } };

/** Returns the request body, its number of cache points, and the adaptations of cache hints. */
function translate(providerModel: string, more: Exclude<MessageInitShape<typeof ChatRequestSchema>, ChatRequest>) {
  const asked = create(ChatRequestSchema, more);
  const adaptations = checkSupport(asked, model(providerModel));
  const { request } = applyAdaptations(asked, adaptations);
  const json = stringifyExact(toRequest(request, model(providerModel), "bedrock"));
  return {
    body: JSON.parse(json),
    marks: json.split('"cachePoint"').length - 1,
    warned: adaptations
      .filter(({ field }) => field.at(-1) === "cache_hint")
      .map(({ kind, field }) => `${kind} ${formatPath(field)}`),
  };
}

describe("a cache point", () => {
  it("omits the cache point of empty text, with a warning", () => {
    const messages = [user(hinted(""), hinted("a"))];
    const { body, warned } = translate(sonnet, { messages });
    expect(body.messages).toEqual([{ role: "user", content: [{ text: "a" }, point] }]);
    expect(warned).toEqual(["EMULATED messages[0].parts[0].cache_hint"]);
  });

  it("omits the cache point of empty system text", () => {
    const messages = [{ role: Role.SYSTEM, parts: [hinted("")] }, user(hinted("a"))];
    const { body, marks } = translate(sonnet, { messages });
    expect(body).not.toHaveProperty("system");
    expect(marks).toBe(1);
  });

  // "Cache point cannot be inserted after reasoning block." https://github.com/anomalyco/opencode/issues/36517
  it("puts no cache point after reasoning, which Bedrock would reject", () => {
    const thought = {
      kind: { case: "reasoning" as const, value: { text: "Hm." } },
      providerState: { provider: "bedrock", model: sonnet, data: Buffer.from("sig") },
      cacheHint: {},
    };
    const messages = [user(hinted("a")), { role: Role.ASSISTANT, parts: [thought] }, user(hinted("b"))];
    const { body, marks, warned } = translate(sonnet, { messages });
    expect(body.messages[1].content).toEqual([
      { reasoningContent: { reasoningText: { text: "Hm.", signature: "sig" } } },
    ]);
    expect(marks).toBe(2);
    expect(warned).toEqual(["EMULATED messages[1].parts[0].cache_hint"]);
  });

  it.each([sonnet, nova])("keeps the last four cache points for %s", (name) => {
    const tools = [functionTool({ name: "weather", cacheHint: {} })];
    const system = { role: Role.SYSTEM, parts: [hinted("Be brief.")] };
    const four = [system, user(hinted("a"), hinted("b"))];
    expect(translate(name, { tools, messages: four })).toMatchObject({ marks: 4, warned: [] });
    const five = [system, user(hinted("a"), hinted("b"), hinted(""), hinted("c"))];
    const { body, marks, warned } = translate(name, { tools, messages: five });
    expect(marks).toBe(4);
    expect(body.toolConfig.tools).toHaveLength(1);
    expect(body.system).toEqual([{ text: "Be brief." }, point]);
    expect(body.messages[0].content).toEqual([{ text: "a" }, point, { text: "b" }, point, { text: "c" }, point]);
    expect(warned).toEqual(["EMULATED tools[0].cache_hint", "EMULATED messages[1].parts[2].cache_hint"]);
  });

  it("keeps four cache points on messages if the tools are omitted", () => {
    const tools = [functionTool({ name: "weather", cacheHint: {} })];
    const toolChoice = { choice: { case: "mode" as const, value: ToolChoiceMode.NONE } };
    const messages = [user(hinted("a"), hinted("b"), hinted("c"), hinted("d"))];
    expect(translate(nova, { tools, toolChoice, messages }).marks).toBe(4);
  });

  it("sets a ttl of five minutes or an hour", () => {
    const { body } = translate(sonnet, { messages: [user(hinted("a", 3600n), hinted("b", 300n), hinted("c"))] });
    const lives = body.messages[0].content.flatMap((block: { cachePoint?: { ttl?: string } }) =>
      block.cachePoint ? [block.cachePoint.ttl] : [],
    );
    expect(lives).toEqual(["1h", "5m", undefined]);
  });

  it("warns about each cache hint for models without a prompt cache", () => {
    const { body, warned } = translate("us.meta.llama3-3-70b-instruct-v1:0", {
      messages: [user(hinted(""), hinted("a"))],
    });
    expect(body.messages).toEqual([{ role: "user", content: [{ text: "a" }] }]);
    expect(warned).toEqual(["EMULATED messages[0].parts[0].cache_hint", "EMULATED messages[0].parts[1].cache_hint"]);
  });
});
