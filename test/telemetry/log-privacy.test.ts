import { createHash } from "node:crypto";
import { create } from "@bufbuild/protobuf";
import fc from "fast-check";
import { expect, it } from "vitest";
import { ChatRequestSchema } from "../../src/gen/dragoman/v1/chat_request_pb.js";
import { Role } from "../../src/gen/dragoman/v1/message_pb.js";
import { textChunk } from "../support/openai-wire.ts";
import { type RecordedRequest, type Script, startReplayUpstream } from "../support/replay-upstream.ts";
import { functionTool } from "../support/tools.ts";
import { startObserved } from "./harness.ts";

/** Texts that must be in no line: of the caller, the provider and the model. */
interface Secrets {
  readonly user: string;
  readonly system: string;
  readonly call: string;
  readonly result: string;
  readonly tool: string;
  readonly answer: string;
}

const letters = fc.string({
  unit: fc.constantFrom(..."abcdefghijklmnopqrstuvwxyzäß0123456789 "),
  minLength: 24,
  maxLength: 60,
});
const anySecrets: fc.Arbitrary<Secrets> = fc.record({
  ...{ user: letters, system: letters, call: letters, result: letters, tool: letters, answer: letters },
});

/** What a provider says about a request, of which it quotes all or a part. */
const anyWords: fc.Arbitrary<(request: RecordedRequest) => string> = fc
  .tuple(fc.constantFrom("body", "escaped", "headers", "base64", "part"), fc.nat(2000))
  .map(([what, at]) => ({ body, headers }) => {
    const key = headers.authorization ?? "";
    if (what === "escaped") return `cannot read ${JSON.stringify(body)}`;
    if (what === "headers") return `refused: ${JSON.stringify(headers)}`;
    if (what === "base64") return `refused: ${Buffer.from(key).toString("base64")}`;
    return what === "part" ? body.slice(at % body.length, (at % body.length) + 300) : `${body} ${key}`;
  });

type Quoting = (secrets: Secrets, words: string) => Script;

const json = { "content-type": "application/json" };
const errorOf = (message: string, code: string) => JSON.stringify({ error: { message, code, type: "type" } });

/** Ways in which a provider fails, or answers with what cannot be used. */
const anyScript: fc.Arbitrary<Quoting> = fc.oneof(
  fc.constantFrom(400, 401, 403, 404, 413, 422, 429, 500, 503).map((status): Quoting => {
    return (_, words) => ({ status, headers: json, steps: [{ write: errorOf(words, "code") }] });
  }),
  fc.constantFrom<Quoting>(
    (_, words) => ({ status: 400, headers: json, steps: [{ write: errorOf("", words) }] }),
    (_, words) => ({ status: 400, headers: { "content-type": "text/plain" }, steps: [{ write: words }] }),
    (_, words) => ({
      status: 422,
      headers: json,
      steps: [{ write: JSON.stringify({ detail: [{ msg: words, loc: ["body"], type: words }] }) }],
    }),
    (_, words) => ({ headers: json, steps: [{ write: errorOf(words, "server_error") }] }),
    (_, words) => ({ steps: [{ write: `data: ${errorOf(words, "server_error")}\n\n` }] }),
    ({ answer }, words) => ({ steps: [{ write: textChunk(answer) }, { write: `data: ${errorOf(words, words)}\n\n` }] }),
    ({ answer }) => ({ steps: [{ write: textChunk(answer) }, { write: `data: {"${answer}\n\n` }] }),
    ({ answer }) => ({ headers: json, steps: [{ write: `{"choices": "${answer}` }] }),
    ({ answer }) => ({
      headers: json,
      steps: [{ write: JSON.stringify({ choices: [{ index: answer, message: answer }] }) }],
    }),
    ({ answer }) => ({ headers: json, steps: [{ write: wholeBody(answer) }] }),
    ({ answer }) => ({ headers: json, steps: [{ write: wholeBody(JSON.stringify({ [answer]: answer })) }] }),
    ({ answer }) => ({ status: 400, headers: json, steps: [{ write: failedGeneration(answer) }] }),
  ),
);

const wholeBody = (content: string) =>
  JSON.stringify({ id: "1", choices: [{ index: 0, message: { role: "assistant", content }, finish_reason: "stop" }] });
const failedGeneration = (answer: string) =>
  JSON.stringify({ error: { message: `no JSON: ${answer}`, code: "json_validate_failed", failed_generation: answer } });

function requestOf(model: string, { user, system, call, result, tool }: Secrets) {
  const text = (role: Role, value: string) => ({ role, parts: [{ kind: { case: "text" as const, value } }] });
  return create(ChatRequestSchema, {
    model,
    tools: [functionTool({ name: "search", description: tool })],
    outputFormat: { format: { case: "jsonSchema", value: { name: "city", schemaJson: schema } } },
    messages: [
      text(Role.SYSTEM, system),
      text(Role.USER, user),
      {
        role: Role.ASSISTANT,
        parts: [
          {
            kind: { case: "toolCall", value: { id: "c", name: "search", argumentsJson: JSON.stringify({ q: call }) } },
          },
        ],
      },
      {
        role: Role.TOOL,
        parts: [
          {
            kind: {
              case: "toolResult",
              value: { toolCallId: "c", parts: [{ kind: { case: "text", value: result } }] },
            },
          },
        ],
      },
    ],
  });
}

const schema = JSON.stringify({
  type: "object",
  properties: { city: { type: "string" } },
  additionalProperties: false,
});

/** Returns the runs of 15 characters of a text, as JSON has them. */
const runsOf = (text: string): readonly string[] =>
  Array.from({ length: text.length - 14 }, (_, at) => JSON.stringify(text.slice(at, at + 15)).slice(1, -1));

it("has no key, and no 15 characters of a prompt or response, whatever a provider says about a request", async () => {
  const calls = fc.sample(fc.tuple(anySecrets, anyWords, anyScript, fc.boolean()), 80);
  await using upstream = await startReplayUpstream((request) => {
    const [, index] = /^\/(\d+)\//.exec(request.path) ?? [];
    const [secrets, words, script] = calls[Number(index)] ?? expect.fail(request.path);
    return script(secrets, words(request));
  });
  const callerKey = "caller-key-0123456789";
  const providerKey = "provider-key-abcdefghij";
  const sha256 = createHash("sha256").update(callerKey).digest("hex");
  const settings = { dialect: "openai", api_key: providerKey };
  // A provider for each call, since a failure can take a provider or its key out.
  const pools = calls.map((_, index) => [`pool-${index}`, { ...settings, base_url: `${upstream.baseUrl}/${index}` }]);
  const observed = await startObserved(
    JSON.stringify({
      authentication: { mode: "keys", keys: [{ id: "team", sha256 }] },
      providers: Object.fromEntries(pools),
    }),
  );
  const options = { headers: { "x-api-key": callerKey } };
  await Promise.allSettled(
    calls.map(async ([secrets, , , streams], index) => {
      const chat = requestOf(`pool-${index}/model`, secrets);
      if (!streams) await observed.chat.completeChat({ chat }, options);
      else for await (const _ of observed.chat.streamChat({ chat }, options));
    }),
  );
  const lines = observed.log().map((line) => JSON.stringify(line));
  expect(lines.filter((line) => line.includes('"msg":"call"'))).toHaveLength(calls.length);
  expect(upstream.requests.length).toBeGreaterThanOrEqual(calls.length);
  const text = lines.join("\n");
  for (const key of [callerKey, providerKey]) {
    for (const form of [key, Buffer.from(`Bearer ${key}`).toString("base64")]) expect(text).not.toContain(form);
  }
  const leaks = calls.flatMap(([secrets]) =>
    Object.entries(secrets).flatMap(([name, secret]) => {
      const run = runsOf(secret).find((part) => text.includes(part));
      return run === undefined ? [] : [{ name, run, line: lines.find((line) => line.includes(run)) }];
    }),
  );
  expect(leaks).toEqual([]);
  // Providers did quote keys and prompts.
  expect(text).toContain("[redacted]");
  expect(text).toContain("[prompt]");
}, 120_000);
