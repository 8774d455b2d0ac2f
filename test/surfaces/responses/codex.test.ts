import { describe, expect, it, onTestFinished } from "vitest";
import {
  begin,
  end,
  json,
  start as messageStart,
  more,
  sse,
  stop,
  text,
} from "../../contract/fixtures/anthropic-wire.ts";
import * as responses from "../../contract/fixtures/openai-responses.ts";
import { type Script, startReplayUpstream } from "../../support/replay-upstream.ts";
import { startApis } from "../sdk/apis.ts";
import { codexBody, codexHeaders, codexInput, readAsCodex } from "./codex.ts";

async function start(provider: "ANTHROPIC" | "OPENAI", ...scripts: readonly Script[]) {
  const upstream = await startReplayUpstream(...scripts);
  onTestFinished(() => upstream[Symbol.asyncDispose]());
  const { url } = await startApis({ [`${provider}_API_KEY`]: "k", [`${provider}_BASE_URL`]: upstream.baseUrl });
  const model = provider === "OPENAI" ? "gpt-5.1" : "anthropic/claude-sonnet-4-5";
  return {
    send: (input: readonly object[]) =>
      fetch(`${url}/v1/responses`, {
        method: "POST",
        headers: codexHeaders,
        body: JSON.stringify(codexBody(model, input)),
      }),
    sent: (index: number) => JSON.parse(upstream.requests[index]?.body ?? "{}"),
  };
}

const script = (body: string): Script => ({
  headers: { "content-type": "text/event-stream" },
  steps: [{ write: body }],
});

const patch = "*** Begin Patch\n*** Add File: hello.txt\n+hello\n*** End Patch\n";

const thinkAndPatch = script(
  sse(
    messageStart(),
    begin(0, { type: "thinking", thinking: "" }),
    more(0, { type: "thinking_delta", thinking: "A small patch." }),
    more(0, { type: "signature_delta", signature: "c2lnbmVk" }),
    stop(0),
    ...text(1, "I add ", "the file."),
    begin(2, { type: "tool_use", id: "toolu_1", name: "apply_patch", input: {} }),
    more(2, json(JSON.stringify({ input: patch }).slice(0, 20))),
    more(2, json(JSON.stringify({ input: patch }).slice(20))),
    stop(2),
    begin(3, { type: "tool_use", id: "toolu_2", name: "mcp__docs__search", input: {} }),
    more(3, json('{"query":"hello"}')),
    stop(3),
    ...end("tool_use"),
  ),
);
const done = script(sse(messageStart(), ...text(0, "Done."), ...end("end_turn")));

describe("Codex", () => {
  it("works with Claude over two turns: signed thinking, a custom tool and a function of a namespace", async () => {
    const { send, sent } = await start("ANTHROPIC", thinkAndPatch, done);
    const response = await send(codexInput);
    const first = await readAsCodex(response);
    expect(first.shown).toBe("I add the file.");
    expect(first.items).toEqual([
      {
        type: "reasoning",
        summary: [{ type: "summary_text", text: "A small patch." }],
        encrypted_content: expect.any(String),
      },
      { type: "message", role: "assistant", content: [{ type: "output_text", text: "I add the file." }] },
      { type: "custom_tool_call", status: "completed", call_id: "toolu_1", name: "apply_patch", input: patch },
      {
        type: "function_call",
        call_id: "toolu_2",
        name: "search",
        namespace: "mcp__docs__",
        arguments: '{"query":"hello"}',
      },
    ]);
    const second = await readAsCodex(
      await send([
        ...codexInput,
        ...first.items,
        { type: "custom_tool_call_output", call_id: "toolu_1", output: "Success." },
        { type: "function_call_output", call_id: "toolu_2", output: [{ type: "input_text", text: "nothing found" }] },
      ]),
    );
    expect(second.shown).toBe("Done.");
    expect(second.usage.total_tokens).toBeGreaterThan(0);
    const { messages, system } = sent(1);
    expect(JSON.stringify(system)).toContain("You are a coding agent.");
    expect(JSON.stringify(system)).toContain("permissions instructions");
    expect(messages.slice(-2)).toMatchObject([
      {
        role: "assistant",
        content: [
          { type: "thinking", thinking: "A small patch.", signature: "c2lnbmVk" },
          { type: "text", text: "I add the file." },
          { type: "tool_use", id: "toolu_1", name: "apply_patch", input: { input: patch } },
          { type: "tool_use", id: "toolu_2", name: "mcp__docs__search", input: { query: "hello" } },
        ],
      },
      {
        role: "user",
        content: [
          { type: "tool_result", tool_use_id: "toolu_1", content: "Success." },
          { type: "tool_result", tool_use_id: "toolu_2" },
        ],
      },
    ]);
  });

  it("gets a warning for each thing that Dragoman does differently", async () => {
    const { send } = await start("ANTHROPIC", done);
    const response = await send(codexInput);
    await response.text();
    const warnings: { reason: string; field: string }[] = JSON.parse(
      response.headers.get("x-dragoman-warnings") ?? "[]",
    );
    const found = warnings.map(({ reason, field }) => `${reason} ${field}`);
    expect(found).toContain("LEFT_OUT client_metadata");
    expect(found).toContain("LEFT_OUT tools.3");
    expect(found).toContain("LEFT_OUT tools.5.tools.0.defer_loading");
    expect(found).toContain("EMULATED tools.2");
    expect(found).toContain("UNSUPPORTED_PARAMETER text.verbosity");
  });

  it("works with a model of OpenAI, through OpenAI's own Responses API", async () => {
    const thought = responses.reasoning([], "gAAA==");
    const calls = responses.answer([thought, responses.call("call_1", "shell", ['{"command":', '["ls"]}'])]);
    const { send, sent } = await start(
      "OPENAI",
      script(calls),
      script(responses.answer([responses.message(["Done."])])),
    );
    const { items } = await readAsCodex(await send(codexInput));
    expect(items.at(-1)).toEqual({
      type: "function_call",
      call_id: "call_1",
      name: "shell",
      arguments: '{"command":["ls"]}',
    });
    const output = { type: "function_call_output", call_id: "call_1", output: "hello.txt" };
    expect((await readAsCodex(await send([...codexInput, ...items, output]))).shown).toBe("Done.");
    expect(sent(1)).toMatchObject({
      reasoning: { effort: "medium", summary: "auto" },
      text: { verbosity: "low" },
      parallel_tool_calls: true,
      store: false,
    });
    expect(sent(1).tools).toContainEqual(expect.objectContaining({ type: "web_search" }));
    expect(sent(1).input.slice(-3)).toEqual([
      thought.item,
      { type: "function_call", call_id: "call_1", name: "shell", arguments: '{"command":["ls"]}' },
      output,
    ]);
  });
});
