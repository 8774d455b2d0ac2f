import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { contractFieldOf, streamMethods } from "../../src/chat/planning/provider-options.ts";
import { isFieldSet } from "../../src/chat/planning/with-field.ts";
import { type ChatRequest, ChatRequestSchema } from "../../src/gen/dragoman/v1/chat_request_pb.js";
import { ReasoningEffort } from "../../src/gen/dragoman/v1/reasoning_pb.js";
import type { Adapter } from "../../src/providers/adapter.ts";
import { stringifyExact } from "../../src/providers/kit/exact-json.ts";
import { applyAdaptations } from "../support/planning.ts";
import { ask } from "../support/requests.ts";
import { functionTool } from "../support/tools.ts";
import { type Dialect, formsOf, titleOf } from "./dialect.ts";
import { dialects } from "./load-dialects.ts";
import { run, startStage } from "./run.ts";

type Fields = NonNullable<Parameters<typeof ask>[2]>;

const kinds: readonly Fields[] = [
  {},
  { parameters: { maxOutputTokens: 9, minOutputTokens: 1 }, user: "ann" },
  { tools: [functionTool({ name: "f" })] },
  { reasoning: { control: { case: "effort", value: ReasoningEffort.HIGH } } },
];

/** Fields that an API requires, or that an API without machine-readable names of rejected fields gets. */
const required: Readonly<Record<string, readonly string[]>> = {
  anthropic: ["max_tokens"],
  // Without `store`, OpenAI would store the responses of its Responses API.
  openai: ["store", "include.0"],
  bedrock: ["additionalModelResponseFieldPaths.0"],
  "llm-engine": ["max_new_tokens", "temperature"],
};

/** Fields of every body, whatever the caller set. */
const always: ReadonlySet<string | undefined> = new Set(["model", "messages", streamMethods]);

function* pathsOf(value: JsonValue, path: readonly string[] = []): Generator<readonly string[]> {
  const isObject = typeof value === "object" && value !== null;
  if (!isObject || Object.keys(value).length === 0) yield path;
  else for (const [name, inner] of Object.entries(value)) yield* pathsOf(inner, [...path, name]);
}

function bodyOf(adapter: Adapter, request: ChatRequest, { model }: Dialect): JsonObject {
  return JSON.parse(stringifyExact(adapter.describe(request, model)));
}

/** Returns the requests of a dialect, as its adapter gets them. */
function requestsOf({ model, everything, create }: Dialect): readonly ChatRequest[] {
  const adapter = create("http://127.0.0.1:9");
  return [everything.request, ...kinds.map((fields) => ask(model.id, "hi", fields))].flatMap((request) => {
    const found = adapter.checkSupport(request, model);
    return found.some(({ kind }) => kind === "REJECTED") ? [] : [applyAdaptations(request, found).request];
  });
}

/** Whether the caller wrote a field of the body, or every body has it. */
function isCallers(path: readonly string[], request: ChatRequest, { name }: Dialect, adapter: Adapter): boolean {
  const [first = ""] = path;
  if (Object.hasOwn(request.providerOptions[name] ?? {}, first)) return true;
  const field = contractFieldOf(adapter.contractNames ?? new Map(), path);
  if (field === undefined) return false;
  // The caller can set these two with a field beside them.
  const [outer = ""] = field.split(".");
  const whole = ["reasoning", "output_format", "seed"].some((part) => field.includes(part))
    ? [outer]
    : field.split(".");
  return always.has(field) || isFieldSet(ChatRequestSchema, request, whole);
}

const named = dialects.map((dialect) => ({ dialect, title: titleOf(dialect) }));

describe.each(named)("own fields of $title", ({ dialect }) => {
  const adapter = dialect.create("http://127.0.0.1:9");
  const { model, name } = dialect;
  const ownOf = (request: ChatRequest) => adapter.ownFields?.(request, model) ?? [];

  it("are all fields of the body that the caller did not write and that the API does not require", () => {
    const undeclared = requestsOf(dialect).flatMap((request) =>
      [...pathsOf(bodyOf(adapter, request, dialect))]
        .filter((path) => !isCallers(path, request, dialect, adapter))
        .map((path) => path.join("."))
        .filter((path) => !ownOf(request).some((own) => `${path}.`.startsWith(`${own.name}.`)))
        .filter((path) => !required[name]?.includes(path)),
    );
    expect([...new Set(undeclared)]).toEqual([]);
  });

  it("can each be left out or renamed, and nothing else of the body changes", () => {
    for (const request of requestsOf(dialect)) {
      const before = [...pathsOf(bodyOf(adapter, request, dialect))].map((path) => path.join("."));
      for (const own of ownOf(request)) {
        const without = adapter.without?.(new Set([own.name])) ?? expect.fail("the adapter lacks `without`");
        const after = [...pathsOf(bodyOf(without, request, dialect))].map((path) => path.join("."));
        const isOwn = (path: string) => `${path}.`.startsWith(`${own.name}.`);
        expect(before.filter(isOwn), `${own.name} is not in the body`).not.toEqual([]);
        const others = before.filter((path) => !isOwn(path));
        expect(after.toSorted()).toEqual([...others, ...(own.otherName ? [own.otherName] : [])].toSorted());
      }
    }
  });
});

const detail = [{ loc: ["body", "temperature"], msg: "No.", type: "value_error" }];

/** Errors that name the field `temperature` in the common shapes, which a proxy may send for any provider. */
const named400: readonly (readonly [status: number, body: object])[] = [
  [400, { error: { message: "No.", type: "invalid_request_error", param: "temperature", code: null } }],
  [400, { message: "No.", type: "invalid_request_error", param: "temperature", code: "wrong_api_format" }],
  [422, { detail }],
  // Mistral's API has sent each of these. https://github.com/mistralai/platform-docs-public/issues/7
  [422, { object: "error", message: { detail }, type: "invalid_request_error", param: null, code: null }],
  [
    422,
    { object: "error", message: JSON.stringify({ detail }), type: "internal_error_proxy", param: null, code: "1000" },
  ],
  // https://github.com/partITech/php-mistral/issues/76
  [422, { object: "error", message: detail, type: "invalid_request_error", code: 3001 }],
];

/** Errors that name no field of the body. */
const unnamed400: readonly object[] = [
  { error: { message: "temperature is wrong", type: "invalid_request_error", param: null } },
  { error: { message: "No.", type: "invalid_request_error", param: 7 } },
  { error: { message: "No.", type: "invalid_request_error", param: "t".repeat(100_000) } },
  { detail: [{ loc: ["query", "temperature"], msg: "No.", type: "value_error" }] },
  { detail: [{ loc: ["body"], msg: "No.", type: "value_error" }] },
  { detail: [{ loc: { temperature: 1 }, msg: "No.", type: "value_error" }] },
];

describe.each(named)("rejected fields at $title", ({ dialect }) => {
  it.each(formsOf(dialect))("are read from an error that names them, %s", async (form) => {
    for (const [status, body] of named400) {
      const headers = { "content-type": "application/json" };
      await using stage = await startStage(dialect, form, {
        status,
        headers,
        steps: [{ write: JSON.stringify(body) }],
      });
      const { error } = await run(stage, dialect, form, ask(dialect.model.id, "hello"));
      expect(error?.reason).toBe("INVALID_REQUEST");
      expect(error?.facts.rejectedFields?.map(({ path }) => path)).toEqual(["temperature"]);
      expect(error?.facts.metadata?.parameter).toBe("temperature");
      expect(error?.message).toBe("the provider rejected the request: No.");
    }
  });

  it("are never read from a sentence, or from a place outside the body", async () => {
    for (const body of unnamed400) {
      const headers = { "content-type": "application/json" };
      const script = { status: 400, headers, steps: [{ write: JSON.stringify(body) }] };
      await using stage = await startStage(dialect, "streamed", script);
      const { error } = await run(stage, dialect, "streamed", ask(dialect.model.id, "hello"));
      expect(error?.facts.rejectedFields).toBeUndefined();
      expect(error?.facts.metadata).not.toHaveProperty("parameter");
    }
  });
});
