import type { ContentBlockDelta, ContentBlockStart } from "@aws-sdk/client-bedrock-runtime";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import fc from "fast-check";
import { describe, expect, it, onTestFinished } from "vitest";
import type { ChatEvent } from "../../../src/chat/stream/events.ts";
import { type PartSchema, Role } from "../../../src/gen/dragoman/v1/message_pb.js";
import { ModelSchema } from "../../../src/gen/dragoman/v1/model_pb.js";
import { ToolChoiceMode } from "../../../src/gen/dragoman/v1/tool_pb.js";
import { createBedrockAdapter } from "../../../src/providers/bedrock/adapter.ts";
import { endEvents, startAnswer, toEvents } from "../../../src/providers/bedrock/events.ts";
import { stringifyExact } from "../../../src/providers/kit/exact-json.ts";
import { completionOf, nextBody, playedCall } from "../../support/replay.ts";
import { ask } from "../../support/requests.ts";
import { startTestService } from "../../support/service.ts";
import { functionTool, providerTool } from "../../support/tools.ts";
import { model, settings } from "./harness.ts";

type PartInit = MessageInitShape<typeof PartSchema>;
type Event = readonly [type: string, data: Readonly<Record<string, unknown>>];
type Block = Readonly<Record<string, unknown>>;

const claude = model();
const other = create(ModelSchema, { ...model("us.amazon.nova-pro-v1:0") });
const adapter = createBedrockAdapter(settings("http://127.0.0.1:9"));

function play(events: readonly Event[]) {
  const answer = startAnswer(playedCall(claude), false);
  const batch: ChatEvent[] = [];
  for (const [type, payload] of events) {
    toEvents(
      answer,
      { headers: { ":message-type": "event", ":event-type": type }, data: JSON.stringify(payload) },
      batch,
    );
  }
  endEvents(answer, batch);
  return completionOf(batch);
}

const starts = (contentBlockIndex: number, start: object): Event => ["contentBlockStart", { contentBlockIndex, start }];
const continues = (contentBlockIndex: number, delta: object): Event => [
  "contentBlockDelta",
  { contentBlockIndex, delta },
];
const stops = (contentBlockIndex: number): Event => ["contentBlockStop", { contentBlockIndex }];
const end: Event = ["messageStop", { stopReason: "end_turn" }];

/** Returns the events of a block of a whole message, as the stream has them. */
function eventsOf(block: Block, index: number): readonly Event[] {
  const [[name, value] = []] = Object.entries(block) as [string, Record<string, unknown>][];
  switch (name) {
    case "citationsContent": {
      const { content, citations } = value as { content: readonly object[]; citations: readonly object[] };
      return [
        ...content.map((piece) => continues(index, piece)),
        ...citations.map((citation) => continues(index, { citation })),
        stops(index),
      ];
    }
    case "toolUse": {
      const { input, ...rest } = value ?? {};
      return [
        starts(index, { toolUse: rest }),
        continues(index, { toolUse: { input: JSON.stringify(input) } }),
        stops(index),
      ];
    }
    case "toolResult": {
      const { content, ...rest } = value ?? {};
      return [starts(index, { toolResult: rest }), continues(index, { toolResult: content }), stops(index)];
    }
    default:
      return [continues(index, block), stops(index)];
  }
}

const word = fc.string({ minLength: 1, maxLength: 12, unit: "grapheme" });
const id = fc.stringMatching(/^[a-z0-9_]{1,12}$/);
const json = fc.jsonValue({ maxDepth: 2 }).map((value) => JSON.parse(JSON.stringify(value)));
const input = fc.dictionary(word, json, { maxKeys: 3 });
const citation = fc.record({ title: word, sourceContent: fc.array(fc.record({ text: word })), location: json });
const content = fc.oneof(
  fc.tuple(fc.record({ text: word })),
  fc.array(fc.record({ json })),
  fc.tuple(fc.record({ json }), fc.record({ text: word })),
);
const type = fc.constant("server_tool_use");
const block: fc.Arbitrary<Block> = fc.oneof(
  fc.record({ text: word }),
  fc.record({
    citationsContent: fc.record({
      content: fc.tuple(fc.record({ text: word })),
      citations: fc.array(citation, { minLength: 1, maxLength: 3 }),
    }),
  }),
  fc.record({ toolUse: fc.record({ toolUseId: id, name: id, input, type }) }),
  fc.record({ toolResult: fc.record({ toolUseId: id, content, status: fc.constantFrom("success", "error") }) }),
);

describe("the replay law for Bedrock", () => {
  it("holds: each block of a response is sent back unchanged, in its place", () => {
    fc.assert(
      fc.property(fc.array(block, { minLength: 1, maxLength: 5 }), (turn) => {
        const completion = play([...turn.flatMap(eventsOf), end]);
        expect(completion.warnings).toEqual([]);
        const { body, violations, leftOut } = nextBody(completion, adapter, claude);
        expect(violations).toEqual([]);
        expect(leftOut).toEqual([]);
        expect(body.messages[1]).toEqual({ role: "assistant", content: turn });
      }),
    );
  });

  it("leaves out what another model made, with warnings, and keeps the text", () => {
    fc.assert(
      fc.property(fc.array(block, { minLength: 1, maxLength: 5 }), (turn) => {
        const { body, leftOut } = nextBody(play([...turn.flatMap(eventsOf), end]), adapter, other);
        const kept = turn.flatMap((each) => {
          const cited = each.citationsContent as { readonly content: readonly object[] } | undefined;
          return cited?.content ?? ("text" in each ? [each] : []);
        });
        const assistant = body.messages.find(({ role }: { role: string }) => role === "assistant");
        expect(assistant?.content ?? []).toEqual(kept);
        const lost = turn.filter((each) => "toolUse" in each || "toolResult" in each);
        const isCited = turn.some((each) => "citationsContent" in each);
        expect(leftOut).toHaveLength(lost.length + (isCited ? 1 : 0));
      }),
    );
  });
});

/** What becomes of each kind of block in a stream. A kind that is new in Amazon's types does not compile here. */
const starting: Readonly<Record<Exclude<keyof ContentBlockStart.ToolUseMember, "$unknown">, string[]>> = {
  toolUse: ["toolCall"],
  toolResult: ["serverToolResult"],
  // An image is a part as soon as it has bytes.
  image: [],
};
const extending: Readonly<Record<Exclude<keyof ContentBlockDelta.TextMember, "$unknown">, [object | string, string]>> =
  {
    text: ["a", "text"],
    toolUse: [{ input: "{}" }, "toolCall"],
    toolResult: [[{ text: "a" }], "serverToolResult"],
    reasoningContent: [{ text: "a" }, "reasoning"],
    citation: [{ title: "a" }, "text"],
    image: [{ source: { bytes: "AQ==" } }, "media"],
  };
const partsOf = (events: readonly Event[]) =>
  play([...events, end]).choices[0]?.message?.parts.map(({ kind }) => kind.case);

describe("the kinds of blocks in Amazon's types", () => {
  it.each(Object.entries(starting))("include %s, which begins a part", (name, kinds) => {
    expect(partsOf([starts(0, { [name]: { toolUseId: "a", name: "a", format: "png" } })])).toEqual(kinds);
  });

  it.each(Object.entries(extending))("include deltas of %s, which become a part", (name, [value, kind]) => {
    const begun = name === "toolUse" ? [starts(0, { toolUse: { toolUseId: "a", name: "a" } })] : [];
    expect(partsOf([...begun, continues(0, { [name]: value })])).toEqual([kind]);
  });

  it("include images, which become media of the type in their start", () => {
    const bytes = (data: string) =>
      continues(0, { image: { source: { bytes: Buffer.from(data).toString("base64") } } });
    const { choices } = play([starts(0, { image: { format: "webp" } }), bytes("a"), bytes("b"), end]);
    expect(choices[0]?.message?.parts[0]?.kind.value).toMatchObject({
      mediaType: "image/webp",
      source: { case: "data", value: Buffer.from("ab") },
    });
  });
});

describe("Claude on Bedrock", () => {
  it("must call a tool that Anthropic defines if required, and gets its prompt cache breakpoint", () => {
    const request = ask(claude.id, "hi", {
      tools: [
        { ...providerTool({ provider: "bedrock", type: "bash_20250124" }), cacheHint: { ttl: { seconds: 3600n } } },
      ],
      toolChoice: { choice: { case: "mode", value: ToolChoiceMode.REQUIRED } },
    });
    expect(adapter.checkSupport(request, claude)).toEqual([]);
    expect(JSON.parse(stringifyExact(adapter.describe(request, claude)))).toMatchObject({
      additionalModelRequestFields: {
        tool_choice: { type: "any" },
        tools: [{ type: "bash_20250124", name: "bash", cache_control: { type: "ephemeral", ttl: "1h" } }],
      },
    });
  });
});

describe("a model on Bedrock that is not Claude", () => {
  async function planFor(parts: PartInit[], more: Parameters<typeof ask>[2] = {}) {
    const service = await startTestService({ AWS_BEARER_TOKEN_BEDROCK: "k", AWS_REGION: "us-east-1" });
    onTestFinished(() => service.stop());
    const chat = ask("bedrock/us.amazon.nova-pro-v1:0", "hi", { messages: [{ role: Role.USER, parts }], ...more });
    const { warnings, providerRequestJson } = await service.chatClient("grpc").planChat({ chat });
    return {
      warnings: warnings.map(({ reason, field }) => `${reason} ${field}`),
      body: JSON.parse(providerRequestJson),
    };
  }

  it("gets search results as text, and no citable documents", async () => {
    const source = { case: "data" as const, value: Buffer.from("far") };
    const { warnings, body } = await planFor([
      { kind: { case: "searchResult", value: { source: "notes", texts: ["far"] } } },
      { kind: { case: "media", value: { source, mediaType: "text/plain", citable: true } } },
    ]);
    expect(warnings).toEqual([
      "EMULATED messages[0].parts[0]",
      "UNSUPPORTED_PARAMETER messages[0].parts[1].media.citable",
    ]);
    expect(body.messages[0].content).toEqual([
      { text: "Source: notes\n\nfar\n\n" },
      { document: { format: "txt", name: "document", source: { bytes: "ZmFy" } } },
    ]);
  });

  it("gets tools that Bedrock runs as system tools", async () => {
    const tools = [
      providerTool({ provider: "bedrock", type: "nova_grounding" }),
      functionTool({ name: "weather" }),
      providerTool({ provider: "bedrock", type: "systemTool", configJson: '{"name":"nova_code_interpreter"}' }),
    ];
    const { warnings, body } = await planFor([{ kind: { case: "text", value: "hi" } }], { tools });
    expect(warnings).toEqual([]);
    expect(body.toolConfig.tools).toEqual([
      { systemTool: { name: "nova_grounding" } },
      { toolSpec: { name: "weather", inputSchema: { json: { type: "object", properties: {} } } } },
      { systemTool: { name: "nova_code_interpreter" } },
    ]);
  });
});
