import { toJson } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { ChatCompletionSchema } from "../../src/gen/dragoman/v1/completion_pb.js";
import { mapFrames } from "../support/event-stream.ts";
import { ask } from "../support/requests.ts";
import { type CaseName, type Dialect, type Form, formsOf, isApplicable, isBytes, titleOf, wireOf } from "./dialect.ts";
import { dialects } from "./load-dialects.ts";
import { run, startStage } from "./run.ts";
import { isFields } from "./whole/sse-data.ts";

/** Cases whose blocks get an unknown member. */
const played: readonly CaseName[] = [
  "plain text",
  "two parallel tool calls with interleaved deltas",
  "reasoning, then text",
  "reasoning with a signature",
  "redacted reasoning",
  "a refusal",
  "cached, cache-write and reasoning tokens",
  "citations",
  "media in the response",
  "a tool that the provider runs",
];

const name = "member_of_tomorrow";
const mark = 7_340_033;

/** Places whose members are no blocks: tokens, errors, and the empty input with which Claude begins a call. */
const silent = /(?:^|\.)(?:logprobs|reasoning_logprobs|logprobsResult|error|token|tokens|input)(?:\.|$)/;

/** Perplexity repeats the content of a choice in a second field, of which Dragoman reads the one of its form. */
const repeated: Readonly<Record<Form, string>> = { streamed: ".choices.message", whole: ".choices.delta" };

type Visit = (value: object, path: string) => object;

/** Returns JSON with each of its objects replaced. A path has the names of the members, and the types of blocks. */
function visited(value: unknown, visit: Visit, path = ""): unknown {
  if (Array.isArray(value)) return value.map((item) => visited(item, visit, path));
  if (!isFields(value)) return value;
  const own = typeof value.type === "string" ? `${path}<${value.type}>` : path;
  const inner = Object.entries(value).map(([key, item]) => [key, visited(item, visit, `${own}.${key}`)] as const);
  return visit(Object.fromEntries(inner), own);
}

/** Returns a response with each of its JSON texts changed. */
function changed(wire: string | Uint8Array, visit: Visit): string | Uint8Array {
  if (typeof wire !== "string") return mapFrames(wire, (payload) => visited(payload, visit));
  const change = (text: string) => JSON.stringify(visited(JSON.parse(text), visit));
  if (wire.trimStart().startsWith("{")) return change(wire);
  return wire.replaceAll(/^data: (\{.*\})$/gm, (_, text: string) => `data: ${change(text)}`);
}

/** Returns the responses that have the unknown member at one place each, by the path of the place. */
function responsesOf(
  dialect: Dialect,
  form: Form,
  member: unknown,
): ReadonlyMap<string, readonly [CaseName, string | Uint8Array]> {
  const responses = new Map<string, readonly [CaseName, string | Uint8Array]>();
  for (const title of played) {
    const wire = wireOf(dialect, form, title);
    if (!isBytes(wire)) continue;
    const paths = new Set<string>();
    changed(wire, (value, path) => {
      paths.add(path);
      return value;
    });
    for (const place of paths) {
      if (silent.test(place) || place.startsWith(repeated[form]) || responses.has(place)) continue;
      const visit: Visit = (value, path) => (path === place ? { ...value, [name]: member } : value);
      responses.set(place, [title, changed(wire, visit)]);
    }
  }
  return responses;
}

/** Returns the texts of the bytes in JSON, which are base64 there. */
function decoded(json: string): string {
  const texts = [...json.matchAll(/"([A-Za-z0-9+/]{8,}={0,2})"/g)].map(([, text = ""]) => text);
  return texts.map((text) => Buffer.from(text, "base64").toString()).join("\n");
}

/** Levels that overflow the stack of a function which calls itself for each, in 10 kB of JSON. */
const deep: unknown = JSON.parse("[".repeat(5_000) + "]".repeat(5_000));

describe.each(
  dialects.map((dialect) => ({ dialect, title: titleOf(dialect) })),
)("an unknown member of a known block of $title", ({ dialect }) => {
  it.each(formsOf(dialect))("is carried or named in a warning, and does not fail the response, %s", async (form) => {
    const responses = [...responsesOf(dialect, form, mark)];
    await using stage = await startStage(
      dialect,
      form,
      ...responses.map(([, [, wire]]) => ({ steps: [{ write: wire }] })),
    );
    const lost: string[] = [];
    for (const [place, [title]] of responses) {
      const entry = dialect.answers[title];
      const request = ask(dialect.model.id, "hello", isApplicable(entry) ? entry.request : {});
      const { completion, error } = await run(stage, dialect, form, request);
      const json = JSON.stringify(toJson(ChatCompletionSchema, completion));
      const told = `${json}\n${decoded(json)}`;
      if (error !== undefined) lost.push(`${place}: ${error.message}`);
      else if (!told.includes(String(mark)) && !told.includes(name)) lost.push(place);
      const named = completion.warnings.filter(({ message }) => message.includes(name));
      if (named.length > 1) lost.push(`${place}: named ${named.length} times`);
    }
    expect(lost).toEqual([]);
  });

  it.each(formsOf(dialect))("with 5,000 levels is the provider's fault, %s", async (form) => {
    const responses = [...responsesOf(dialect, form, deep)];
    await using stage = await startStage(
      dialect,
      form,
      ...responses.map(([, [, wire]]) => ({ steps: [{ write: wire }] })),
    );
    const reasons = new Set<string>();
    for (const [, [title]] of responses) {
      const entry = dialect.answers[title];
      const { error } = await run(
        stage,
        dialect,
        form,
        ask(dialect.model.id, "hello", isApplicable(entry) ? entry.request : {}),
      );
      reasons.add(error?.reason ?? "none");
    }
    expect([...reasons].filter((reason) => !/^PROVIDER_(FAULT|STREAM_INTERRUPTED)$/.test(reason))).toEqual([]);
  });
});
