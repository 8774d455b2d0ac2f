import { createParser } from "eventsource-parser";

// Requests in the form of Codex 0.148, and its rules for reading a stream and for sending items back
// (openai/codex: codex-rs/core/src/client.rs, codex-rs/codex-api/src/sse/responses.rs, codex-rs/protocol/src/models.rs).

/** Headers of Codex's requests. */
export const codexHeaders = {
  "content-type": "application/json",
  accept: "text/event-stream",
  originator: "codex_cli_rs",
  "user-agent": "codex_cli_rs/0.148.0 (Ubuntu 24.4.0; x86_64) xterm-256color",
  session_id: "01990a3c-5bcd-7e20-8f41-6f7d3a2b1c0d",
};

const grammar = `start: begin_patch hunk+ end_patch
begin_patch: "*** Begin Patch" LF
end_patch: "*** End Patch" LF?
hunk: add_hunk | delete_hunk
add_hunk: "*** Add File: " filename LF add_line+
delete_hunk: "*** Delete File: " filename LF
filename: /(.+)/
add_line: "+" /(.*)/ LF
%import common.LF
`;

const object = (properties: object, required: readonly string[]) => ({
  type: "object",
  properties,
  required,
  additionalProperties: false,
});

const tools = [
  {
    type: "function",
    name: "shell",
    description: "Runs a shell command and returns its output.",
    strict: false,
    parameters: object(
      {
        command: { type: "array", items: { type: "string" }, description: "The command to execute" },
        workdir: { type: "string", description: "The working directory" },
        timeout_ms: { type: "number", description: "The timeout in milliseconds" },
      },
      ["command"],
    ),
  },
  {
    type: "function",
    name: "update_plan",
    description: "Updates the task plan.",
    strict: false,
    parameters: object(
      {
        explanation: { type: "string" },
        plan: {
          type: "array",
          items: object({ step: { type: "string" }, status: { type: "string" } }, ["step", "status"]),
        },
      },
      ["plan"],
    ),
  },
  {
    type: "custom",
    name: "apply_patch",
    description: "Use the `apply_patch` tool to edit files. This is a FREEFORM tool.",
    format: { type: "grammar", syntax: "lark", definition: grammar },
  },
  { type: "web_search", external_web_access: false },
  {
    type: "function",
    name: "view_image",
    description: "Attaches a local image to the conversation.",
    strict: false,
    parameters: object({ path: { type: "string" } }, ["path"]),
  },
  {
    type: "namespace",
    name: "mcp__docs__",
    description: "Tools in the mcp__docs__ namespace.",
    tools: [
      {
        type: "function",
        name: "search",
        description: "Searches the documentation.",
        strict: false,
        defer_loading: true,
        parameters: { type: "object", properties: { query: { type: "string" } } },
      },
    ],
  },
];

const message = (role: string, ...texts: readonly string[]) => ({
  type: "message",
  role,
  content: texts.map((text) => ({ type: "input_text", text })),
});

/** Conversation at the start of a session. */
export const codexInput: readonly object[] = [
  message("developer", "<permissions instructions>Sandbox: workspace-write</permissions instructions>"),
  message(
    "user",
    "# AGENTS.md instructions for /work\n\n<INSTRUCTIONS>Be careful.</INSTRUCTIONS>",
    "<environment_context>\n  <cwd>/work</cwd>\n  <shell>bash</shell>\n</environment_context>",
  ),
  message("user", "Add a file hello.txt."),
];

/** Body of a request of Codex. */
export function codexBody(model: string, input: readonly object[]) {
  return {
    model,
    instructions: "You are a coding agent.",
    input,
    tools,
    tool_choice: "auto",
    parallel_tool_calls: true,
    reasoning: { effort: "medium", summary: "auto" },
    store: false,
    stream: true,
    include: ["reasoning.encrypted_content"],
    prompt_cache_key: codexHeaders.session_id,
    text: { verbosity: "low" },
    client_metadata: { "x-codex-installation-id": "f0e1" },
  };
}

type Item = { readonly type: string } & Readonly<Record<string, unknown>>;

/** What Codex reads of a stream. */
export interface CodexTurn {
  /** Items that have ended, as Codex sends them back. */
  readonly items: readonly Item[];
  /** Text deltas that came while their message was open. */
  readonly shown: string;
  readonly responseId: string;
  readonly usage: { readonly input_tokens: number; readonly output_tokens: number; readonly total_tokens: number };
}

/** What Codex shows as an error. */
export class CodexError extends Error {
  /** HTTP status, if it is not 200. */
  readonly status: number | undefined;
  readonly code: string;

  constructor(message: string, code: string, status?: number) {
    super(message);
    this.code = code;
    this.status = status;
  }
}

/** Reads a stream as Codex does. Throws what Codex would show as an error. `onText`: called with each text delta. */
export async function readAsCodex(response: Response, onText?: (piece: string) => void): Promise<CodexTurn> {
  if (response.status !== 200) {
    const body = await response.text();
    throw new CodexError(`unexpected status ${response.status}: ${body}`, JSON.parse(body).error.code, response.status);
  }
  const items: Item[] = [];
  let active: string | undefined;
  let shown = "";
  let end: Pick<CodexTurn, "responseId" | "usage"> | undefined;
  const parser = createParser({
    onEvent({ data }) {
      const { type, item, delta, response: whole, summary_index } = JSON.parse(data);
      switch (type) {
        case "response.output_item.added":
          active = item.type;
          break;
        case "response.output_text.delta":
          if (active !== "message") throw new Error("OutputTextDelta without active item");
          shown += delta;
          onText?.(delta);
          break;
        case "response.reasoning_summary_text.delta":
          if (active !== "reasoning" || summary_index !== 0)
            throw new Error("ReasoningSummaryDelta without active item");
          break;
        case "response.output_item.done":
          items.push(sentBack(item));
          active = undefined;
          break;
        case "response.failed":
          throw new CodexError(`failed: ${whole.error.code}: ${whole.error.message}`, whole.error.code);
        case "response.completed":
          end = { responseId: whole.id, usage: whole.usage };
      }
    },
  });
  const decoder = new TextDecoder();
  for await (const bytes of response.body ?? []) parser.feed(decoder.decode(bytes, { stream: true }));
  if (end === undefined) throw new Error("stream closed before response.completed");
  return { items, shown, ...end };
}

/** Codex sends no ids, and of a text neither its sources nor its log probabilities. */
function sentBack({ id: _, ...item }: Item): Item {
  if (item.type === "function_call") {
    const { status: _status, ...call } = item;
    return call as Item;
  }
  if (item.type !== "message") return item as Item;
  const content = (item.content as readonly { type: string; text: string }[]).map(({ type, text }) => ({ type, text }));
  return { type: "message", role: item.role, content };
}
