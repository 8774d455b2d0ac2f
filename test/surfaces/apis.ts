import { z } from "zod";

/** Test data of an API: valid bodies, and the schema of its errors. */
export interface Api {
  readonly path: string;
  /** A body with nearly all fields of the API. */
  readonly full: Readonly<Record<string, unknown>>;
  /** Makes a body with one user message. */
  ask(content: unknown, more?: object): object;
  readonly error: z.ZodType;
  /** HTTP status for an invalid body. */
  readonly invalid: number;
}

/** Configuration that serves a model of each API by the echo provider. */
export const everyModelIsEcho = `
models:
  gpt-4o: { provider: echo, provider_model: echo }
  llama3.1-8b: { provider: echo, provider_model: echo }
  meta-llama/Llama-2-70b-chat-hf: { provider: echo, provider_model: echo }
deployments:
  support: { model: gpt-4o, parameters: [{ name: tone, type: string, description: How to speak. }] }
`;

const objectOfError = z.strictObject({
  error: z.looseObject({ message: z.string().min(1), type: z.string(), code: z.string() }),
});
const detail = z.union([
  z.string().min(1),
  z
    .array(z.strictObject({ loc: z.array(z.union([z.string(), z.number()])), msg: z.string(), type: z.string() }))
    .min(1),
]);

const schema = { type: "object", properties: { a: { type: "string" } }, required: ["a"], additionalProperties: false };
const shared = {
  messages: [
    { role: "system", content: "be brief" },
    { role: "user", content: [{ type: "text", text: "hi" }], name: "ann" },
    {
      role: "assistant",
      content: null,
      tool_calls: [{ id: "c", type: "function", function: { name: "f", arguments: "{}" } }],
    },
    { role: "tool", content: "4", tool_call_id: "c" },
  ],
  temperature: 0.5,
  top_p: 0.9,
  n: 1,
  seed: 7,
  stop: ["x"],
  max_tokens: 10,
  logprobs: true,
  top_logprobs: 2,
  logit_bias: { 7: 1 },
  tools: [{ type: "function", function: { name: "f", description: "d", parameters: schema, strict: true } }],
  tool_choice: "auto",
  parallel_tool_calls: true,
  response_format: { type: "json_schema", json_schema: { name: "r", schema, strict: true } },
  stream: false,
  user: "u",
  prompt_cache_key: "k",
};

const messagesError = z.strictObject({
  type: z.literal("error"),
  error: z.strictObject({ type: z.string().min(1), message: z.string().min(1) }),
  request_id: z.string(),
});

const openAiAsk =
  (model: string): Api["ask"] =>
  (content, more) => ({ model, messages: [{ role: "user", content }], ...more });

/** The APIs by their method names in call records. */
export const apis = {
  openai: {
    path: "/v1/chat/completions",
    full: { ...shared, model: "echo/echo", metadata: { a: "b" }, reasoning_effort: "low" },
    ask: openAiAsk("echo/echo"),
    error: objectOfError,
    invalid: 400,
  },
  cerebras: {
    path: "/cerebras/v1/chat/completions",
    full: { ...shared, model: "llama3.1-8b", reasoning_format: "parsed", model_parameters: {} },
    ask: openAiAsk("llama3.1-8b"),
    error: z.looseObject({ message: z.string().min(1), type: z.string(), code: z.string() }),
    invalid: 400,
  },
  deepinfra: {
    path: "/v1/openai/chat/completions",
    full: { ...shared, model: "meta-llama/Llama-2-70b-chat-hf", chat_template_kwargs: { a: 1 }, top_k: 3, min_p: 0.1 },
    ask: openAiAsk("meta-llama/Llama-2-70b-chat-hf"),
    error: z.union([objectOfError, z.strictObject({ detail })]),
    invalid: 422,
  },
  messages: {
    path: "/v1/messages",
    full: {
      model: "echo/echo",
      max_tokens: 10,
      system: [{ type: "text", text: "be brief", cache_control: { type: "ephemeral", ttl: "5m" } }],
      messages: [
        { role: "user", content: [{ type: "text", text: "hi" }] },
        {
          role: "assistant",
          content: [
            { type: "thinking", thinking: "hm", signature: "dragoman.own." },
            { type: "redacted_thinking", data: "dragoman.next." },
            { type: "tool_use", id: "c", name: "f", input: { a: "b" }, caller: { type: "direct" } },
            { type: "web_search_tool_result", tool_use_id: "s", content: [] },
          ],
        },
        {
          role: "user",
          content: [
            { type: "tool_result", tool_use_id: "c", content: [{ type: "text", text: "4" }], is_error: false },
            { type: "document", source: { type: "text", media_type: "text/plain", data: "a" }, title: "t" },
            { type: "search_result", source: "s", title: "t", content: [{ type: "text", text: "x" }] },
          ],
        },
      ],
      temperature: 0.5,
      top_p: 0.9,
      top_k: 3,
      stop_sequences: ["x"],
      tools: [{ name: "f", description: "d", input_schema: schema, strict: true }],
      tool_choice: { type: "auto", disable_parallel_tool_use: true },
      thinking: { type: "enabled", budget_tokens: 1024, display: "omitted" },
      output_config: { effort: "low", format: { type: "json_schema", schema } },
      metadata: { user_id: "u" },
      service_tier: "auto",
      context_management: { edits: [] },
      stream: false,
    },
    ask: (content: unknown, more?: object) => ({
      model: "echo/echo",
      max_tokens: 100,
      messages: [{ role: "user", content }],
      ...more,
    }),
    error: messagesError,
    invalid: 400,
  },
  "egp-chat": {
    path: "/v4/chat-completions",
    full: {
      model: "gpt-4o",
      messages: [
        { role: "user", content: [{ type: "text", text: "hi" }] },
        { role: "assistant", content: "ho" },
        { role: "user", content: "hi" },
      ],
      memory_strategy: { name: "last_k", params: { k: 2 } },
      model_parameters: { temperature: 0.3, max_tokens: 9, stop_sequences: ["x"], topP: 0.5, topK: 3 },
      instructions: "be brief",
      account_id: "acme",
      stream: false,
    },
    ask: (content: unknown, more?: object) => ({ model: "gpt-4o", messages: [{ role: "user", content }], ...more }),
    error: z.strictObject({ detail }),
    invalid: 422,
  },
  "egp-deployment": {
    path: "/v4/models/support/chat-completions",
    full: {
      prompt: "hi",
      chat_history: [
        { role: "user", content: "ha" },
        { role: "assistant", content: "ho" },
      ],
      model_request_parameters: { bindings: { tone: "kind" } },
      temperature: 0.3,
      stop_sequences: ["x"],
      max_tokens: 9,
      chat_template_kwargs: { a: { b: 1 } },
      stream: false,
    },
    ask: (content: unknown, more?: object) =>
      typeof content === "string"
        ? { prompt: content, chat_history: [], ...more }
        : { prompt: "hi", chat_history: [{ role: "user", content }], ...more },
    error: z.strictObject({ detail }),
    invalid: 422,
  },
  responses: {
    path: "/v1/responses",
    full: {
      model: "echo/echo",
      instructions: "be brief",
      input: [
        { role: "developer", content: "be kind" },
        {
          type: "message",
          role: "user",
          content: [
            { type: "input_text", text: "hi" },
            { type: "input_image", image_url: "data:image/png;base64,AAAA", detail: "auto" },
          ],
        },
        { type: "reasoning", id: "rs_1", summary: [{ type: "summary_text", text: "hm" }], encrypted_content: "gAAA" },
        { type: "function_call", call_id: "c", name: "f", arguments: "{}" },
        { type: "function_call_output", call_id: "c", output: "4" },
        { type: "custom_tool_call", call_id: "d", name: "patch", input: "x" },
        { type: "custom_tool_call_output", call_id: "d", output: [{ type: "input_text", text: "5" }] },
        {
          type: "message",
          id: "msg_1",
          status: "completed",
          role: "assistant",
          content: [{ type: "output_text", text: "ho", annotations: [{ type: "url_citation", url: "https://a" }] }],
        },
        { role: "user", content: "hi" },
      ],
      tools: [
        { type: "function", name: "f", description: "d", parameters: schema, strict: true },
        { type: "custom", name: "patch", format: { type: "grammar", syntax: "lark", definition: "start: /x/" } },
        { type: "namespace", name: "n", tools: [{ type: "function", name: "g", parameters: schema }] },
        { type: "web_search", external_web_access: false },
      ],
      tool_choice: { type: "allowed_tools", mode: "auto", tools: [{ type: "function", name: "f" }] },
      parallel_tool_calls: true,
      max_output_tokens: 10,
      temperature: 0.5,
      top_p: 0.9,
      top_logprobs: 2,
      include: ["message.output_text.logprobs", "reasoning.encrypted_content"],
      reasoning: { effort: "low", summary: "auto" },
      text: { format: { type: "json_schema", name: "r", schema, strict: true }, verbosity: "low" },
      metadata: { a: "b" },
      store: false,
      stream: false,
      truncation: "auto",
      user: "u",
      prompt_cache_key: "k",
    },
    ask: (content: unknown, more?: object) => ({
      model: "echo/echo",
      input: [
        {
          role: "user",
          content: typeof content === "string" || !Array.isArray(content) ? content : content.map(toInputPart),
        },
      ],
      ...more,
    }),
    error: objectOfError,
    invalid: 400,
  },
} as const satisfies Record<string, Api>;

/** Converts a text part of OpenAI's chat API to that of the Responses API. */
function toInputPart(part: unknown): unknown {
  return typeof part === "object" && part !== null && "type" in part && part.type === "text"
    ? { ...part, type: "input_text" }
    : part;
}

export const apiNames = [
  "openai",
  "cerebras",
  "deepinfra",
  "messages",
  "egp-chat",
  "egp-deployment",
  "responses",
] as const satisfies readonly (keyof typeof apis)[];
