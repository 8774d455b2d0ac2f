import { create, toJson } from "@bufbuild/protobuf";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type ChatCompletion, ChatCompletionSchema, FinishReason } from "../../src/gen/dragoman/v1/completion_pb.js";
import { type Message, MessageSchema, Role } from "../../src/gen/dragoman/v1/message_pb.js";
import { UsageQuality } from "../../src/gen/dragoman/v1/usage_pb.js";
import { ask } from "../support/requests.ts";
import { bytesOf, type Dialect, type Form, formsOf, isApplicable, isBytes, type SentItem, titleOf } from "./dialect.ts";
import { type Answer, answersOf, type Writer, wholeOf } from "./generated/answer.ts";
import { writers } from "./generated/writers.ts";
import { dialects } from "./load-dialects.ts";
import { cutInto, type Outcome, run, startStage } from "./run.ts";
import { send } from "./send-conversation.ts";

const writerOf = ({ reader }: Dialect) =>
  writers[reader] ?? expect.fail(`generated/writers.ts has no writer of ${reader}`);

/** Plays a response in one form, once for each list of places that split it into reads. */
async function play(dialect: Dialect, form: Form, answer: Answer, cuts: readonly (readonly number[])[]) {
  const wire = bytesOf(dialect, form, { wire: writerOf(dialect).write(answer) });
  if (!isBytes(wire)) return expect.fail(wire.why);
  await using stage = await startStage(dialect, form, ...cuts.map((places) => cutInto(wire, places)));
  const outcomes: Outcome[] = [];
  for (const _ of cuts) outcomes.push(await run(stage, dialect, form, ask(dialect.model.id, "hello")));
  return outcomes;
}

const partsOf = ({ choices }: ChatCompletion) => choices[0]?.message?.parts ?? [];

/** Texts of a response: joined, or if each is a part of its own, in any order, since blocks may come by turns. */
function comparable(texts: readonly string[], hasParts: boolean): readonly string[] {
  return hasParts ? texts.filter((text) => text !== "").sort() : [texts.join("")];
}

const piecesOf = (blocks: readonly { readonly pieces: readonly string[] }[], hasParts: boolean) =>
  comparable(blocks.map(wholeOf), hasParts);

function textsOf(completion: ChatCompletion, hasParts: boolean): readonly string[] {
  const texts = partsOf(completion).map(({ kind }) => (kind.case === "text" ? kind.value : ""));
  return comparable(texts, hasParts);
}

function thoughtsOf(completion: ChatCompletion, hasParts: boolean): readonly string[] {
  const texts = partsOf(completion).map(({ kind }) => (kind.case === "reasoning" ? kind.value.text : ""));
  return comparable(texts, hasParts);
}

const callsOf = ({ parts }: Pick<Message, "parts">) =>
  parts.flatMap(({ kind }) => (kind.case === "toolCall" ? [kind.value] : []));

/** The same JSON for arguments that say the same. No arguments are an empty object. */
function normal(argumentsJson: string): string {
  if (argumentsJson === "" || argumentsJson === "null") return "{}";
  try {
    return JSON.stringify(JSON.parse(argumentsJson));
  } catch {
    return argumentsJson;
  }
}

/** The completion as JSON, without the random digits of ids that Dragoman made. */
function written(completion: ChatCompletion): string {
  const json = JSON.stringify(toJson(ChatCompletionSchema, completion));
  return json.replace(/(call_|toolu_)[0-9a-f]{32}/g, "$1");
}

/** Returns the texts of the bytes in JSON, which are base64 there. */
function decoded(json: string): string {
  return [...json.matchAll(/"([A-Za-z0-9+/]{8,}={0,2})"/g)]
    .map(([, text = ""]) => Buffer.from(text, "base64").toString())
    .join("\n");
}

function expectLaws(writer: Writer, answer: Answer, outcome: Outcome): void {
  const { blocks, end, hasUsage } = answer;
  if (end === "cut") {
    expect(outcome.events).not.toContain("completed");
    expect(["PROVIDER_STREAM_INTERRUPTED", "PROVIDER_UNAVAILABLE"]).toContain(outcome.error?.reason);
    return;
  }
  const { completion } = outcome;
  expect(outcome.error).toBeUndefined();
  expect(outcome.events.join(" ")).toMatch(/^started( delta)* finished completed$/);

  const ofKind = <Kind extends Answer["blocks"][number]["kind"]>(kind: Kind) =>
    blocks.filter((block): block is Extract<Answer["blocks"][number], { kind: Kind }> => block.kind === kind);
  const hasParts = writer.hasParts ?? false;
  const texts = textsOf(completion, hasParts).filter((text) => text !== "Hi");
  expect(texts).toEqual(
    piecesOf(
      ofKind("text").filter((block) => wholeOf(block) !== "Hi"),
      hasParts,
    ),
  );
  expect(thoughtsOf(completion, hasParts)).toEqual(piecesOf(ofKind("thought"), hasParts));
  const calls = callsOf({ parts: partsOf(completion) });
  expect(calls.map(({ name, argumentsJson }) => [name, normal(argumentsJson)])).toEqual(
    ofKind("call").map((block) => [block.name, normal(wholeOf(block))]),
  );
  expect(new Set(calls.map(({ id }) => id)).size).toBe(calls.length);

  const all = written(completion);
  for (const { mark } of ofKind("extra")) expect(`${all}\n${decoded(all)}`).toContain(mark);
  const usual = calls.length > 0 ? FinishReason.TOOL_CALLS : FinishReason.STOP;
  expect(completion.choices[0]?.finishReason).toBe(end === "length" ? FinishReason.LENGTH : usual);
  const { inputTokens = 0, outputTokens = 0, totalTokens = 0, quality } = completion.usage ?? {};
  expect(totalTokens).toBe(inputTokens + outputTokens);
  expect(quality === UsageQuality.EXACT).toBe(hasUsage);
}

describe.each(dialects.map((dialect) => ({ dialect, title: titleOf(dialect) })))("the $title API", ({ dialect }) => {
  it.each(formsOf(dialect))("keeps the laws of stream, fold and silence for generated responses, %s", async (form) => {
    const places = fc.array(fc.nat({ max: 3000 }), { maxLength: 6 });
    // Each end also comes after nothing.
    const empty = writerOf(dialect).ends.flatMap((end) =>
      [true, false].map((hasUsage): [Answer, number[]] => [{ blocks: [], end, hasUsage, interleaved: false }, []]),
    );
    await fc.assert(
      fc.asyncProperty(answersOf(writerOf(dialect)), places, async (answer, cuts) => {
        if (form === "whole" && answer.end === "cut") return;
        const [once, again] = await play(dialect, form, answer, [[], cuts]);
        if (once === undefined || again === undefined) return expect.fail("no outcome");
        expectLaws(writerOf(dialect), answer, once);
        expect(written(again.completion)).toBe(written(once.completion));
        expect(again.error?.reason).toBe(once.error?.reason);
      }),
      { numRuns: 15 + empty.length, examples: empty },
    );
  });
});

const withConversation = dialects.flatMap((dialect) =>
  isApplicable(dialect.conversation) ? [{ ...dialect, conversation: dialect.conversation }] : [],
);

/** The first provider API of each reader. */
const first = [...Map.groupBy(withConversation, ({ reader }) => reader).values()].flatMap(([dialect]) => dialect ?? []);

describe.each(first.map((dialect) => ({ dialect, title: titleOf(dialect) })))("a response of $title", ({ dialect }) => {
  it("is accepted back by every API, turn after turn, with its texts, calls and results", async () => {
    const answers = answersOf(writerOf(dialect)).filter(({ end }) => end !== "cut");
    await fc.assert(
      fc.asyncProperty(answers, async (answer) => {
        const [outcome] = await play(dialect, "streamed", answer, [[]]);
        const message = outcome?.completion.choices[0]?.message;
        if (message === undefined) return expect.fail("no message");
        for (const target of withConversation) await expectCarried(message, target);
      }),
      { numRuns: 8 },
    );
  });
});

type Target = (typeof withConversation)[number];

/** Sends a message back twice, each time with a result for each of its calls, and reads the request. */
async function expectCarried(message: Message, target: Target): Promise<void> {
  const calls = callsOf(message);
  const turn = (round: number) => {
    const results = calls.map(({ id }, at) => ({
      kind: {
        case: "toolResult" as const,
        value: { toolCallId: id, parts: [{ kind: { case: "text" as const, value: `result ${round}.${at}` } }] },
      },
    }));
    const next = calls.length > 0 ? create(MessageSchema, { role: Role.TOOL, parts: results }) : say("go on");
    return [message, next];
  };
  const names = [...new Set(calls.map(({ name }) => name))];
  const { body, items, plan } = await send(target, target.conversation, [say("hello"), ...turn(0), ...turn(1)], names);
  const named = plan.warnings.map(({ field }) => field);
  const title = titleOf(target);

  const sent = items.filter(({ kind }) => kind === "call");
  const results = items.filter(({ kind }) => kind === "result");
  const expected = [0, 1].flatMap((round) => calls.map((_, at) => `result ${round}.${at}`));
  expect(results.map(textOfItem), title).toEqual(expected);
  expect(results.map(idOfItem), title).toEqual(sent.map(idOfItem));
  expect(sent, title).toHaveLength(2 * calls.length);

  // A warning names the first of several parts that are changed for the same reason.
  const changed = calls.findIndex((call, at) => normal(call.argumentsJson) !== normal(sent[at]?.text ?? ""));
  if (changed !== -1) expect(named, title).toContainEqual(expect.stringMatching(/tool_call\.arguments_json$/));
  const strings: string[] = [];
  JSON.parse(body, (_, value) => {
    if (typeof value === "string") strings.push(value);
    return value;
  });
  for (const { kind } of message.parts) {
    if (kind.case !== "text" || kind.value.trim() === "") continue;
    expect(strings.join("\n").split(kind.value).length - 1, `${title}: ${kind.value}`).toBeGreaterThanOrEqual(2);
  }
}

const textOfItem = ({ text }: SentItem): string => text;
const idOfItem = ({ id }: SentItem): string | undefined => id;

function say(text: string): Message {
  return create(MessageSchema, { role: Role.USER, parts: [{ kind: { case: "text", value: text } }] });
}
