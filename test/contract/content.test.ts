import { create, toJson } from "@bufbuild/protobuf";
import { describe, expect, it, onTestFinished } from "vitest";
import { createFold } from "../../src/chat/stream/fold.ts";
import type { ChatRequest } from "../../src/gen/dragoman/v1/chat_request_pb.js";
import { type ChatCompletion, ChatCompletionSchema, ChoiceSchema } from "../../src/gen/dragoman/v1/completion_pb.js";
import type { Warning } from "../../src/gen/dragoman/v1/warning_pb.js";
import { providers } from "../../src/providers/registry.ts";
import { type Script, startReplayUpstream } from "../support/replay-upstream.ts";
import { ask } from "../support/requests.ts";
import { startTestService } from "../support/service.ts";
import { answerContents, requestContents } from "./content.ts";
import { type Dialect, isApplicable, titleOf, turnsOf } from "./dialect.ts";
import { dialects } from "./load-dialects.ts";
import { replayRequest } from "./replay-request.ts";

const withCases = dialects.filter(({ content }) =>
  [...Object.values(content.answers), ...Object.values(content.requests)].some(isApplicable),
);

/** Starts the service with a provider that plays scripts, and OpenAI as another provider. */
async function start({ name, headers }: Dialect, ...wires: readonly (string | Uint8Array)[]) {
  const scripts = wires.map((wire): Script => ({ ...(headers && { headers }), steps: [{ write: wire }] }));
  const upstream = await startReplayUpstream(...scripts);
  onTestFinished(() => upstream[Symbol.asyncDispose]());
  const { apiKey = "", baseUrl = "" } = providers.find((provider) => provider.name === name)?.variables ?? {};
  const own = { [apiKey]: "k", [baseUrl]: upstream.baseUrl, AWS_REGION: "us-east-1" };
  const service = await startTestService({ ...own, OPENAI_API_KEY: "k" });
  onTestFinished(() => service.stop());
  return { client: service.chatClient("grpc"), upstream };
}

const choicesOf = ({ choices }: ChatCompletion) => choices.map((choice) => toJson(ChoiceSchema, choice));

function plainOf({ answers }: Dialect): string | Uint8Array {
  const plain = answers["plain text"];
  return isApplicable(plain) ? plain.wire : expect.fail("the provider API has no plain text case");
}

const textsOf = (chat: ChatRequest) =>
  chat.messages.flatMap(({ parts }) => parts.flatMap(({ kind }) => (kind.case === "text" ? [kind.value] : [])));

/** Returns the warnings about content. Some models and tools of the cases have no known price. */
function withoutPrices(warnings: readonly Warning[]): readonly Warning[] {
  return warnings.filter(({ reason }) => reason !== "PRICE_UNKNOWN");
}

describe.each(withCases.map((dialect) => ({ ...dialect, title: titleOf(dialect) })))("the $title API", (dialect) => {
  const { content } = dialect;
  const model = `${dialect.name}/${content.model ?? dialect.model.providerModel}`;

  for (const name of answerContents) {
    const entry = content.answers[name];
    if (!isApplicable(entry)) continue;
    const { wire, request, completion: expected, warnings = [], turn } = entry;

    it(`carries ${name}, and sends them back unchanged`, async () => {
      const plain = plainOf(dialect);
      const { client, upstream } = await start(dialect, wire, wire, plain, plain);
      const chat = ask(model, "hello", request);
      const { completion } = await client.completeChat({ chat });
      if (completion === undefined) return expect.fail("no completion");
      expect(choicesOf(completion)).toEqual(choicesOf(create(ChatCompletionSchema, expected)));
      const own = withoutPrices(completion.warnings).filter(({ field }) => field === "");
      expect(own.map(({ message }) => message)).toEqual(warnings.map((text) => expect.stringMatching(text)));

      const fold = createFold();
      for await (const { event } of client.streamChat({ chat })) if (event.case !== undefined) fold.add(event);
      expect(choicesOf(fold.completion)).toEqual(choicesOf(completion));

      // The turn is continued with a further message, or with none if the provider paused it.
      const all = replayRequest(model, completion, {}).messages;
      const isPaused = name === "a turn that the provider paused";
      for (const messages of isPaused ? [all, all.slice(0, -1)] : [all]) {
        const answered = await client.completeChat({ chat: ask(model, "hello", { ...request, messages }) });
        expect(answered.completion?.warnings.filter(({ reason }) => reason === "LEFT_OUT")).toEqual([]);
        const body = JSON.parse(upstream.requests.at(-1)?.body ?? "");
        expect(turnsOf(body, dialect.replay.field)[1]).toEqual(turn);
      }
    });

    it(`leaves out ${name} for another provider, and keeps the text`, async () => {
      const { client } = await start(dialect, wire);
      const { completion } = await client.completeChat({ chat: ask(model, "hello", request) });
      if (completion === undefined) return expect.fail("no completion");
      const next = replayRequest("openai/gpt-4o", completion, {});
      const { warnings: told, providerRequestJson } = await client.planChat({ chat: next });
      for (const text of textsOf(next)) expect(providerRequestJson).toContain(JSON.stringify(text).slice(1, -1));
      const parts = next.messages[1]?.parts ?? [];
      const lost = parts.filter(({ kind }) => kind.case === "serverToolCall" || kind.case === "serverToolResult");
      const cited = parts.some(({ citations }) => citations.length > 0);
      expect(told.filter(({ reason }) => reason === "LEFT_OUT")).toHaveLength(lost.length + (cited ? 1 : 0));
    });
  }

  for (const name of requestContents) {
    const entry = content.requests[name];
    if (!isApplicable(entry)) continue;
    it(`sends ${name}`, async () => {
      const { client, upstream } = await start(dialect, plainOf(dialect));
      const { completion } = await client.completeChat({ chat: ask(model, "hello", entry.request) });
      expect(withoutPrices(completion?.warnings ?? [])).toEqual([]);
      const [request] = upstream.requests;
      expect(JSON.parse(request?.body ?? "")).toMatchObject(entry.sent);
      expect(request?.headers).toMatchObject(entry.headers ?? {});
    });
  }
});
