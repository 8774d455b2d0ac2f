import { create, type MessageInitShape } from "@bufbuild/protobuf";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Plan, planChat } from "../../src/calls/plan.ts";
import { ownWords } from "../../src/chat/planning/caller-words.ts";
import { functionsOf } from "../../src/chat/planning/function-tools.ts";
import { partsOf } from "../../src/chat/planning/parts.ts";
import { profileTexts } from "../../src/chat/planning/profile-texts.ts";
import { toolCallDelta } from "../../src/chat/stream/events.ts";
import { restoreToolNames } from "../../src/chat/stream/restore-tool-names.ts";
import { GatewayError } from "../../src/errors.ts";
import { type ChatRequest, ChatRequestSchema } from "../../src/gen/dragoman/v1/chat_request_pb.js";
import { type MessageSchema, Role } from "../../src/gen/dragoman/v1/message_pb.js";
import { ToolChoiceMode, type ToolChoiceSchema } from "../../src/gen/dragoman/v1/tool_pb.js";
import { profiles } from "../../src/profiles/profiles.ts";
import { stringifyExact } from "../../src/providers/kit/exact-json.ts";
import type { Target } from "../../src/routing/target.ts";
import { titleOf } from "../contract/dialect.ts";
import { dialects } from "../contract/load-dialects.ts";
import { counting } from "../support/counting.ts";
import { allow, functionTool } from "../support/tools.ts";

type Choice = MessageInitShape<typeof ToolChoiceSchema>;

const signal = new AbortController().signal;
const texts = profileTexts("plain", "default", ownWords);

function plan(chat: ChatRequest, target: Target): Promise<Plan> {
  return planChat({ chat, profile: profiles.plain, profileTexts: texts, deployment: undefined }, target, {
    account: "",
    holder: "account:a",
    streamed: false,
    maxValues: 1000,
    counting: counting.limits,
    signal,
  });
}

/** Returns a request with tools, and with an earlier call of each name in `called`. */
function request(tools: readonly string[], called: readonly string[] = [], toolChoice?: Choice): ChatRequest {
  const text = (value: string) => [{ kind: { case: "text", value } } as const];
  const turns = called.flatMap((name, index): MessageInitShape<typeof MessageSchema>[] => {
    const id = `call_${index}`;
    const call = { id, name, argumentsJson: "{}" };
    return [
      { role: Role.ASSISTANT, parts: [{ kind: { case: "toolCall", value: call } }] },
      {
        role: Role.TOOL,
        parts: [{ kind: { case: "toolResult", value: { toolCallId: id, parts: text("done") } } }],
      },
    ];
  });
  return create(ChatRequestSchema, {
    model: "m",
    messages: [{ role: Role.USER, parts: text("hi") }, ...turns],
    tools: tools.map((name) => functionTool({ name })),
    ...(toolChoice && { toolChoice }),
  });
}

const toolsSent = ({ request: sent }: Plan) => functionsOf(sent).map(({ name }) => name);
const callsSent = ({ request: sent }: Plan) =>
  [...partsOf(sent.messages)].flatMap(({ part: { kind } }) => (kind.case === "toolCall" ? kind.value.name : []));

/** Returns the name in the response if the model calls `name`. */
function answered({ toolNames }: Plan, name: string): string | undefined {
  const batch = [toolCallDelta(0, 0, "{", "id", name), toolCallDelta(0, 0, "}")];
  const [first, second] = toolNames ? restoreToolNames(batch, toolNames) : batch;
  expect(second).toEqual(batch[1]);
  return first?.case === "delta" && first.value.delta.case === "toolCall" ? first.value.delta.value.name : undefined;
}

const character = fc.constantFrom(..."ab.-_09");
const names = fc.oneof(
  fc.string({ unit: character, minLength: 1, maxLength: 3 }),
  fc.string({ unit: character, minLength: 60, maxLength: 128 }),
  // Names that differ only after the 64th character, or only in what is replaced.
  fc.string({ unit: character, minLength: 1, maxLength: 3 }).map((end) => "x".repeat(70) + end),
  fc.constantFrom("get.time", "get_time", "get-time", "get_time_", "2fa", "_2fa"),
);
/** Earlier calls can have any name, as models invent some. */
const calledNames = fc.oneof(names, fc.string({ unit: "binary", minLength: 1, maxLength: 8 }));

/** Provider APIs with tools. */
const withTools = dialects
  .filter((dialect) => dialect.model.capabilities?.tools !== false)
  .map((dialect) => ({ ...dialect, title: titleOf(dialect), adapter: dialect.create("http://127.0.0.1:9") }));

describe.each(withTools)("function names for $title", ({ adapter, model }) => {
  const target = { model, adapter };
  /** Plans a request. Undefined if the provider supports no tools, or not this tool choice. */
  const planned = (chat: ChatRequest) =>
    plan(chat, target).catch((error: unknown) => {
      if (error instanceof GatewayError && error.reason === "UNSUPPORTED_PARAMETER") return undefined;
      throw error;
    });

  it("restores each name exactly, with distinct names that the provider accepts", async () => {
    if ((await planned(request(["look"]))) === undefined) return;
    const { toolNames: rule } = adapter;
    const lengths = `{${rule?.minLength ?? 1},${rule?.maxLength ?? 128}}`;
    const others = (rule?.punctuation ?? "_-.").replace(/[-.]/g, "\\$&");
    const accepted = new RegExp(`^${rule?.beginsWithLetter ? "(?![0-9.-])" : ""}[a-zA-Z0-9${others}]${lengths}$`);
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(names, { minLength: 1, maxLength: 8 }),
        fc.uniqueArray(rule ? calledNames : names, { maxLength: 4 }),
        async (tools, called) => {
          const made = await plan(request(tools, called), target);
          const sent = [...toolsSent(made), ...callsSent(made)];
          const asked = [...tools, ...called];
          expect(sent).toHaveLength(asked.length);
          for (const name of sent) expect(name).toMatch(accepted);
          expect(new Set(sent).size).toBe(new Set(asked).size);
          expect(sent.map((name) => answered(made, name))).toEqual(asked);
          const changed = tools.filter((name, index) => name !== sent[index]);
          const warned = made.warnings.filter(({ field }) => /^tools\[\d+\]\.function\.name$/.test(field));
          expect(warned.map(({ reason, field }) => [reason, field])).toEqual(
            changed.map((name) => ["EMULATED", `tools[${tools.indexOf(name)}].function.name`]),
          );
          const body = stringifyExact(adapter.describe(made.request, model));
          for (const name of toolsSent(made)) expect(body).toContain(JSON.stringify(name));
        },
      ),
      { numRuns: 40 },
    );
  });

  it("sends the same name in a later turn, and returns a name that was not sent as it is", async () => {
    if ((await planned(request(["look"]))) === undefined) return;
    const first = await plan(request(["get.time", "1st"]), target);
    const later = await plan(request(["get.time", "1st", "other"], ["get.time"]), target);
    expect(toolsSent(later).slice(0, 2)).toEqual(toolsSent(first));
    expect(callsSent(later)).toEqual(toolsSent(first).slice(0, 1));
    expect(answered(first, "invented")).toBe("invented");
  });

  it("names at most 100 tools in warnings, and says how many more there are", async () => {
    if (adapter.toolNames?.punctuation.includes(".") !== false) return;
    const many = await planned(request(Array.from({ length: 300 }, (_, index) => `mcp.tool_${index}`)));
    const told = many?.warnings.filter(({ message }) => message.includes("function name")) ?? [];
    if (many === undefined) return;
    expect([told.length, told.at(-1)?.field]).toEqual([101, "tools"]);
    expect(told.at(-1)?.message).toBe("200 more function names are replaced, for the same reason");
  });

  it("maps the names in a tool choice", async () => {
    const name = "get.the.time.that.is.now";
    const named = await planned(request([name, "b"], [], { choice: { case: "toolName", value: name } }));
    if (named !== undefined) expect(named.request.toolChoice?.choice.value).toBe(toolsSent(named)[0]);
    const allowed = await planned(request([name, "b"], [], allow(ToolChoiceMode.AUTO, name)));
    if (allowed === undefined) return;
    const { choice } = allowed.request.toolChoice ?? {};
    // Only an adapter that declares it gets allowed_tools.
    expect(choice?.case).toBe(adapter.takesAllowedTools ? "allowedTools" : "mode");
    if (choice?.case === "allowedTools") expect(choice.value.toolNames).toEqual(toolsSent(allowed).slice(0, 1));
    else expect([choice?.value, toolsSent(allowed).length]).toEqual([ToolChoiceMode.AUTO, 1]);
  });
});
