import { describe, expect, it } from "vitest";
import { begin, end, more, sse, start, stop, text } from "../../contract/fixtures/anthropic-wire.ts";
import type { Script } from "../../support/replay-upstream.ts";
import { type ScriptedApis, startScripted } from "../sdk/apis.ts";
import { streamed } from "../sdk/scripts.ts";
import { claudeCodeHeaders, claudeCodeRequest, pixel } from "./claude-code.ts";

const said: Script = { steps: [{ write: sse(start(), ...text(0, "Pixel."), ...end("end_turn")) }] };

function post({ url }: ScriptedApis, body: object, path = "/v1/messages?beta=true"): Promise<Response> {
  return fetch(`${url}${path}`, { method: "POST", headers: claudeCodeHeaders, body: JSON.stringify(body) });
}

/** Returns the fields of the warnings of a response. */
function warned({ headers }: Response): readonly string[] {
  const warnings: readonly { field: string }[] = JSON.parse(headers.get("x-dragoman-warnings") ?? "[]");
  return warnings.map(({ field }) => field);
}

describe("a request of Claude Code", () => {
  it("reaches Claude with all that its API knows", async () => {
    const apis = await startScripted("ANTHROPIC", said);
    const response = await post(apis, claudeCodeRequest("claude-opus-4-8"));
    expect(response.status).toBe(200);
    expect(await response.text()).toContain("Pixel.");
    const [request] = apis.requests;
    expect(request?.headers["anthropic-beta"]).toBe(claudeCodeHeaders["anthropic-beta"]);
    const sent = JSON.parse(request?.body ?? "");
    const asked = JSON.parse(JSON.stringify(claudeCodeRequest("claude-opus-4-8")));
    expect(sent).toMatchObject({
      max_tokens: 32_000,
      thinking: { type: "adaptive" },
      output_config: { effort: "xhigh" },
      context_management: asked.context_management,
      metadata: asked.metadata,
      tools: [
        { name: "Read", eager_input_streaming: true },
        { name: "Bash", eager_input_streaming: true },
        { name: "mcp__github__search_issues", cache_control: { type: "ephemeral", ttl: "1h" } },
      ],
    });
    expect(sent.tools[0].input_schema).toEqual(asked.tools[0].input_schema);
    expect(sent.system.map((block: { cache_control?: object }) => block.cache_control)).toEqual([
      undefined,
      { type: "ephemeral", ttl: "1h" },
      { type: "ephemeral" },
    ]);
    expect(sent.messages[1].content[0]).toEqual(asked.messages[1].content[0]);
    expect(sent.messages[2].content.slice(0, 2)).toEqual([
      { type: "tool_result", tool_use_id: "toolu_01A", content: asked.messages[2].content[0].content },
      { type: "tool_result", tool_use_id: "toolu_01B", content: "file: command not found", is_error: true },
    ]);
    expect(sent.messages[3]).toMatchObject({ role: "system", content: [{ text: "Context usage: 12 %" }] });
    expect(warned(response)).toEqual(["system.1.cache_control.scope"]);
  });

  it("reaches a model of another provider, with warnings about what it cannot get", async () => {
    const apis = await startScripted("GEMINI", {
      steps: [{ write: 'data: {"candidates":[{"content":{"parts":[{"text":"Pixel."}]},"finishReason":"STOP"}]}\n\n' }],
    });
    const response = await post(apis, claudeCodeRequest("gemini/gemini-3-pro-preview"));
    const body = await response.text();
    expect([response.status, body]).toEqual([200, expect.stringContaining("Pixel.")]);
    const sent = JSON.parse(apis.requests[0]?.body ?? "");
    expect(JSON.stringify(sent)).toContain(pixel);
    expect(sent.tools[0].functionDeclarations).toHaveLength(3);
    expect(sent.generationConfig.thinkingConfig).toMatchObject({ thinkingLevel: "HIGH" });
    expect(warned(response)).toEqual(
      expect.arrayContaining(["context_management", "output_config.effort", "tools.0.eager_input_streaming"]),
    );
  });

  it("has its images in a user message where tool results have only text", async () => {
    const chunk = { choices: [{ index: 0, delta: { content: "Pixel." }, finish_reason: "stop" }] };
    const apis = await startScripted("DEEPINFRA", {
      steps: [{ write: `data: ${JSON.stringify(chunk)}\n\ndata: [DONE]\n\n` }],
    });
    const response = await post(apis, claudeCodeRequest("deepinfra/some/vision-model"));
    const body = await response.text();
    expect([response.status, body]).toEqual([200, expect.stringContaining("Pixel.")]);
    const { messages } = JSON.parse(apis.requests[0]?.body ?? "");
    expect(messages.slice(-4)).toEqual([
      { role: "tool", tool_call_id: "toolu_01A", content: "(image 1 is in the next user message)" },
      { role: "tool", tool_call_id: "toolu_01B", content: "file: command not found" },
      {
        role: "user",
        cache_control: { type: "ephemeral" },
        content: [
          { type: "text", text: "image 1 of the tool results, from Read:" },
          { type: "image_url", image_url: { url: `data:image/gif;base64,${pixel}` } },
          { type: "text", text: "<system-reminder>The task tools were not used recently.</system-reminder>" },
          { type: "text", text: "Describe it in one word." },
        ],
      },
      { role: "system", content: "Context usage: 12 %" },
    ]);
    expect(warned(response)).toContain("messages.2.content.0.content.0");
  });

  it("gets a count of its tokens", async () => {
    const apis = await startScripted("OPENAI");
    const { max_tokens: _, stream: __, ...counted } = JSON.parse(JSON.stringify(claudeCodeRequest("gpt-5.2")));
    const response = await post(apis, counted, "/v1/messages/count_tokens?beta=true");
    expect([response.status, await response.json()]).toEqual([200, { input_tokens: expect.any(Number) }]);
  });

  it("can force its only tool, a web search of Anthropic, and gets the blocks of the search", async () => {
    const found = [
      { type: "web_search_result", title: "A", url: "https://a.example", encrypted_content: "E", page_age: null },
    ];
    const search = {
      type: "server_tool_use",
      id: "srvtoolu_1",
      name: "web_search",
      input: {},
      caller: { type: "direct" },
    };
    const apis = await startScripted("ANTHROPIC", {
      steps: [
        {
          write: sse(
            start(),
            begin(0, search),
            more(0, { type: "input_json_delta", partial_json: '{"query": "a"}' }),
            stop(0),
            begin(1, {
              type: "web_search_tool_result",
              tool_use_id: "srvtoolu_1",
              content: found,
              caller: { type: "direct" },
            }),
            stop(1),
            begin(2, { type: "text", text: "", citations: [] }),
            more(2, {
              type: "citations_delta",
              citation: {
                type: "web_search_result_location",
                cited_text: "a",
                url: "https://a.example",
                title: "A",
                encrypted_index: "Ix",
              },
            }),
            more(2, { type: "text_delta", text: "Found." }),
            stop(2),
            ...end("end_turn", {}, { output_tokens: 9, server_tool_use: { web_search_requests: 1 } }),
          ),
        },
      ],
    });
    const webSearch = { type: "web_search_20250305", name: "web_search", max_uses: 8 };
    const ask = {
      model: "claude-haiku-4-5",
      max_tokens: 500,
      messages: [{ role: "user", content: "search" }],
      tools: [webSearch],
      tool_choice: { type: "tool", name: "web_search" },
    };
    const answer = await (await post(apis, ask)).json();
    expect(JSON.parse(apis.requests[0]?.body ?? "")).toMatchObject({
      tools: [webSearch],
      tool_choice: { type: "any" },
    });
    expect(answer).toMatchObject({
      content: [
        { ...search, input: { query: "a" } },
        { type: "web_search_tool_result", tool_use_id: "srvtoolu_1", content: found },
        { type: "text", text: "Found.", citations: [{ encrypted_index: "Ix", url: "https://a.example" }] },
      ],
      usage: { server_tool_use: { web_search_requests: 1 } },
    });
    const openai = await startScripted("OPENAI", streamed([{ content: "no" }]));
    const refused = await post(openai, { ...ask, model: "gpt-4o" });
    expect([refused.status, await refused.json()]).toMatchObject([
      400,
      {
        type: "error",
        error: {
          type: "invalid_request_error",
          message: expect.stringMatching(/^tools\.0\.type: the tool is one of anthropic/),
        },
      },
    ]);
  });
});
