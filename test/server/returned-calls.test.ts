import { describe, expect, it, onTestFinished } from "vitest";
import { createFold } from "../../src/chat/stream/fold.ts";
import type { ChatCompletion } from "../../src/gen/dragoman/v1/completion_pb.js";
import { type Message, Role } from "../../src/gen/dragoman/v1/message_pb.js";
import { delta, finish, streamed, whole } from "../behaviours/wire.ts";
import { type Script, startReplayUpstream } from "../support/replay-upstream.ts";
import { ask } from "../support/requests.ts";
import { startTestService } from "../support/service.ts";

const model = "openrouter/moonshotai/kimi-k3";

async function start(...scripts: readonly Script[]) {
  const upstream = await startReplayUpstream(...scripts);
  onTestFinished(() => upstream[Symbol.asyncDispose]());
  const service = await startTestService({ OPENROUTER_API_KEY: "k", OPENROUTER_BASE_URL: upstream.baseUrl });
  onTestFinished(() => service.stop());
  const bodies = () => upstream.requests.map(({ body }) => JSON.parse(body));
  return { client: service.chatClient("grpc"), http: `http://${service.httpAddress}`, bodies };
}

/** Message of a request body: the fields that these tests read. */
interface SentMessage {
  readonly tool_calls?: readonly { readonly id: string }[];
  readonly tool_call_id?: string;
}

interface Called {
  readonly id?: string;
  readonly name?: string;
  readonly arguments?: string;
}

const calling = (...calls: readonly Called[]) =>
  whole(
    {
      content: null,
      tool_calls: calls.map(({ id = "look:0", name = "look", arguments: json = "{}" }) => ({
        id,
        type: "function",
        function: { name, arguments: json },
      })),
    },
    { choice: { finish_reason: "tool_calls" } },
  );

const done = whole({ content: "Done." });

function messageOf({ choices }: ChatCompletion = expect.fail("no completion")): Message {
  return choices[0]?.message ?? expect.fail("the completion has no message");
}

const callsOf = ({ parts }: Message) => parts.flatMap(({ kind }) => (kind.case === "toolCall" ? [kind.value] : []));

/** Returns the message with the results of a message's calls. */
const resultsOf = (message: Message) => ({
  role: Role.TOOL,
  parts: callsOf(message).map(({ id }) => ({
    kind: {
      case: "toolResult" as const,
      value: { toolCallId: id, parts: [{ kind: { case: "text" as const, value: `result of ${id}` } }] },
    },
  })),
});

/** Runs turns of tool calls until a response without calls. Returns the messages and the completions. */
async function converse(client: Awaited<ReturnType<typeof start>>["client"]) {
  const first = ask(model, "hi").messages;
  const messages: NonNullable<Parameters<typeof ask>[2]>["messages"] = [...first];
  const completions: ChatCompletion[] = [];
  for (;;) {
    const { completion } = await client.completeChat({ chat: ask(model, "hi", { messages }) });
    const message = messageOf(completion);
    if (completion !== undefined) completions.push(completion);
    messages.push(message);
    if (callsOf(message).length === 0) return completions;
    messages.push(resultsOf(message));
  }
}

describe("a message with tool calls that was returned can be sent back", () => {
  it("if the ids repeat in each turn", async () => {
    const { client, bodies } = await start(calling({}), calling({}), calling({}), done);
    await converse(client);
    const sent = bodies()[3].messages.flatMap(({ tool_calls = [], tool_call_id }: SentMessage) => [
      ...tool_calls.map(({ id }) => id),
      ...(tool_call_id === undefined ? [] : [tool_call_id]),
    ]);
    expect(sent).toEqual(Array.from({ length: 6 }, () => "look:0"));
  });

  it("if two calls have one id", async () => {
    const { client, bodies } = await start(calling({ arguments: '{"a":1}' }, { arguments: '{"a":2}' }), done);
    const [first] = await converse(client);
    expect(callsOf(messageOf(first)).map(({ argumentsJson }) => argumentsJson)).toEqual(['{"a":1}', '{"a":2}']);
    expect(first?.warnings).toMatchObject([{ reason: "INFERRED" }]);
    expect(bodies()[1].messages.slice(1)).toMatchObject([
      { tool_calls: [{ id: "look:0" }, { id: "look:0_2" }] },
      { tool_call_id: "look:0", content: "result of look:0" },
      { tool_call_id: "look:0_2", content: "result of look:0_2" },
    ]);
  });

  it("if the arguments are no JSON object", async () => {
    const written = ["null", " ", "[1]", '{"x":"1', '{}{"x":1}'];
    const { client, bodies } = await start(...written.map((json) => calling({ arguments: json })), done);
    await converse(client);
    const sent = bodies()
      .at(-1)
      .messages.flatMap(({ tool_calls = [] }: { tool_calls?: { function: Called }[] }) =>
        tool_calls.map((call) => call.function.arguments),
      );
    expect(sent).toEqual(written);
  });

  it("if ids and names are longer than the contract's", async () => {
    const { client } = await start(calling({ id: "x".repeat(9000), name: "n".repeat(150) }), done);
    const [first] = await converse(client);
    expect(first?.warnings.map(({ reason }) => reason)).toEqual(["INFERRED", "INFERRED"]);
  });

  it("if the server sent the deprecated function_call", async () => {
    const called = { content: null, function_call: { name: "look", arguments: '{"a":1}' } };
    const { client } = await start(whole(called, { choice: { finish_reason: "function_call" } }), done);
    const [first] = await converse(client);
    expect(callsOf(messageOf(first))).toMatchObject([{ name: "look", argumentsJson: '{"a":1}' }]);
  });

  it("over OpenAI's HTTP API, also with null as content", async () => {
    const { http } = await start(calling({}), calling({}), whole({ content: null }), done);
    const messages: object[] = [{ role: "user", content: "hi" }];
    for (let turn = 0; turn < 4; turn++) {
      const reply = await fetch(`${http}/v1/chat/completions`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ model, messages }),
      });
      const { choices, error } = (await reply.json()) as {
        choices: [{ message: { content: string | null; tool_calls?: { id: string }[] } }];
        error?: unknown;
      };
      expect(error).toBeUndefined();
      const { message } = choices[0];
      messages.push(message);
      for (const { id } of message.tool_calls ?? []) messages.push({ role: "tool", tool_call_id: id, content: "ok" });
      if (turn === 2) messages.push({ role: "user", content: "Go on." });
    }
  });
});

describe("halves of a character", () => {
  const cut = streamed(delta({ content: "ok \ud83d" }), delta({ content: "\ude00! \ud83d" }), finish());
  const expected = "ok 😀! \ufffd";

  it("are joined the same in a stream and in a single response", async () => {
    const { client } = await start(cut, whole({ content: "ok 😀! \ud83d" }));
    const chat = ask(model, "hi");
    const fold = createFold();
    for await (const { event } of client.streamChat({ chat })) if (event.case !== undefined) fold.add(event);
    const { completion } = await client.completeChat({ chat });
    for (const message of [messageOf(fold.completion), messageOf(completion)]) {
      expect(message.parts).toMatchObject([{ kind: { case: "text", value: expected } }]);
    }
  });

  it("of a JSON request are rejected with their field, over Connect and OpenAI's API", async () => {
    const { http, bodies } = await start();
    const send = async (path: string, body: object) => {
      const reply = await fetch(`${http}/${path}`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(body),
      });
      expect(reply.status).toBe(400);
      return await reply.text();
    };
    const parts = [{ text: "a" }, { text: "b\ud83d" }];
    const chat = { model, messages: [{ role: "ROLE_USER", parts }] };
    const connect = await send("dragoman.v1.ChatService/CompleteChat", { chat });
    expect(connect).toContain("chat.messages[0].parts[1].text: has half of a surrogate pair");
    const openAi = await send("v1/chat/completions", { model, messages: [{ role: "user", content: "a\ud83d" }] });
    expect(openAi).toContain("messages.0.content: has half of a surrogate pair");
    expect(bodies()).toEqual([]);
  });
});
