/** Headers of Claude Code 2.1, as its users publish them. */
export const claudeCodeHeaders = {
  accept: "application/json",
  authorization: "Bearer caller-key",
  "content-type": "application/json",
  "user-agent": "claude-cli/2.1.251 (external, cli)",
  "x-app": "cli",
  "x-stainless-lang": "js",
  "x-stainless-retry-count": "0",
  "x-stainless-timeout": "600",
  "anthropic-dangerous-direct-browser-access": "true",
  "anthropic-version": "2023-06-01",
  "anthropic-beta":
    "claude-code-20250219,interleaved-thinking-2025-05-14,context-management-2025-06-27,prompt-caching-scope-2026-01-05,effort-2025-11-24",
  "x-claude-code-session-id": "0b9d1f6e-7d5c-4c6a-9f5b-3a1c2d4e5f60",
};

const ephemeral = { type: "ephemeral" } as const;

/** A transparent GIF of one pixel. */
export const pixel = "R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7";

const tools = [
  {
    name: "Read",
    description: `Reads a file from the local filesystem. ${"You can access any file directly by using this tool. ".repeat(40)}`,
    input_schema: {
      $schema: "https://json-schema.org/draft/2020-12/schema",
      type: "object",
      properties: {
        file_path: { type: "string", description: "The absolute path to the file to read" },
        offset: { type: "integer", minimum: 0, maximum: 9007199254740991 },
        limit: { type: "integer", exclusiveMinimum: 0, maximum: 9007199254740991 },
      },
      required: ["file_path"],
      additionalProperties: false,
    },
    eager_input_streaming: true,
  },
  {
    name: "Bash",
    description: "Executes a given bash command and returns its output.",
    input_schema: {
      type: "object",
      properties: { command: { type: "string" }, timeout: { type: "number" } },
      required: ["command"],
      additionalProperties: false,
    },
    eager_input_streaming: true,
  },
  {
    name: "mcp__github__search_issues",
    description: "Searches issues.",
    input_schema: { type: "object", properties: { query: { type: "string" } }, required: ["query"] },
    cache_control: { ...ephemeral, ttl: "1h" },
  },
];

/** The third request of a session, after two calls of tools: one with an image as its result, one that failed. */
export function claudeCodeRequest(model: string): object {
  return {
    model,
    max_tokens: 32_000,
    stream: true,
    system: [
      { type: "text", text: "x-anthropic-billing-header: cc_version=2.1.251; cc_entrypoint=cli;" },
      {
        type: "text",
        text: "You are Claude Code, Anthropic's official CLI for Claude.",
        cache_control: { ...ephemeral, ttl: "1h", scope: "global" },
      },
      {
        type: "text",
        text: "You are an interactive agent that helps users.",
        cache_control: ephemeral,
      },
    ],
    messages: [
      {
        role: "user",
        content: [
          { type: "text", text: "<system-reminder>\nToday is 2026-11-30.\n</system-reminder>" },
          { type: "text", text: "What does shot.gif show?" },
        ],
      },
      {
        role: "assistant",
        content: [
          { type: "thinking", thinking: "", signature: "EvQBCkYIBxgCKkA" },
          { type: "text", text: "I'll look at it." },
          {
            type: "tool_use",
            id: "toolu_01A",
            name: "Read",
            input: { file_path: "/repo/shot.gif" },
            caller: { type: "direct" },
          },
          { type: "tool_use", id: "toolu_01B", name: "Bash", input: { command: "file shot.gif" } },
        ],
      },
      {
        role: "user",
        content: [
          {
            tool_use_id: "toolu_01A",
            type: "tool_result",
            content: [{ type: "image", source: { type: "base64", data: pixel, media_type: "image/gif" } }],
          },
          { type: "tool_result", content: "file: command not found", is_error: true, tool_use_id: "toolu_01B" },
          { type: "text", text: "<system-reminder>The task tools were not used recently.</system-reminder>" },
          { type: "text", text: "Describe it in one word.", cache_control: ephemeral },
        ],
      },
      { role: "system", content: [{ type: "text", text: "Context usage: 12 %", cache_control: null }] },
    ],
    tools,
    tool_choice: { type: "auto" },
    thinking: { type: "adaptive", budget_tokens: 0 },
    output_config: { effort: "xhigh" },
    context_management: { edits: [{ type: "clear_thinking_20251015", keep: "all" }] },
    metadata: {
      user_id: JSON.stringify({
        device_id: "5f6c3bd9e83d1e2b7a4f90c1d2e3f4a5b6c7d8e9f0a1b2c3d4e5f6a7b8c9d0e1",
        account_uuid: "1d2e3f4a-5b6c-7d8e-9f0a-1b2c3d4e5f6a",
        session_id: "0b9d1f6e-7d5c-4c6a-9f5b-3a1c2d4e5f60",
      }),
    },
  };
}
