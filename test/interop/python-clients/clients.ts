import type { NotApplicable } from "../../contract/dialect.ts";
import type { ClientError } from "./program.ts";

/** Case of a client in the matrix. The Python programs have a function for each. */
export const caseNames = [
  "unary",
  "stream",
  "tools",
  "streamed_tools",
  "structured",
  "structured_by_tool",
  "invalid",
  "limited",
  "cut",
  "cancel",
] as const;
export type CaseName = (typeof caseNames)[number];

/** A client for Python that nobody here wrote, with one API. What it cannot do has a reason. */
export interface PythonClient {
  /** Name in the Python program. */
  readonly id: string;
  /** Name in the table of the documentation. */
  readonly name: string;
  /** PyPI package, whose version is in requirements.txt. */
  readonly package: string;
  /** File in test/interop/python/matrix. */
  readonly program: string;
  readonly api: "chat" | "responses" | "messages";
  readonly holes: Partial<Record<CaseName, NotApplicable>>;
  /** The client's word for a complete response. Undefined: it has none. */
  readonly end: string | undefined;
  /** Which of the model's state the client sends back with tool results. */
  readonly sendsBack: {
    readonly signature: true | NotApplicable;
    /** `unless`: the provider whose reasoning it does send back. */
    readonly reasoning: true | (NotApplicable & { readonly unless?: string });
  };
  readonly errors: { readonly invalid: ClientError; readonly limited: ClientError; readonly cut: ClientError };
  /** The outcome of a call that the tool loop makes before its rounds. */
  readonly loopBegins?: "refused";
}

const invalidField = {
  class: "BadRequestError",
  ...{ status_code: 400, code: "invalid_value", param: "temperature", type: "invalid_request_error" },
};
const rateLimit = {
  class: "RateLimitError",
  ...{ status_code: 429, code: "rate_limit_exceeded", type: "rate_limit_error" },
};
const brokenChat = { class: "APIError", code: "provider_stream_interrupted", type: "service_unavailable_error" };

const invalidMessages = { class: "BadRequestError", status_code: 400, type: "invalid_request_error" };
const limitedMessages = { class: "RateLimitError", status_code: 429, type: "rate_limit_error" };
// The status is that of the stream, which had begun.
const brokenMessages = { class: "APIStatusError", status_code: 200, type: "api_error" };

const openAi = { invalid: invalidField, limited: rateLimit };
const both = { signature: true, reasoning: true } as const;
const noField = { why: "the API has no field for the state of a provider" };
const noTool = { why: "the client has no output by a tool of its own" };

const langChainOpenAi = {
  invalid: { ...invalidField, class: "OpenAIInvalidRequestError", cause: invalidField },
  limited: { ...rateLimit, class: "OpenAIRateLimitError", cause: rateLimit },
};

/** Pydantic AI's errors, which wrap those of the vendor's client. */
const pydantic = (invalid: ClientError, limited: ClientError) => ({
  invalid: { class: "ModelRequestRejectedError", status_code: 400, cause: invalid },
  limited: { class: "ModelRateLimitError", status_code: 429, cause: limited },
});

/** The clients of the matrix. */
export const pythonClients: readonly PythonClient[] = [
  {
    id: "openai chat",
    name: "`openai`, chat completions",
    package: "openai",
    program: "openai_sdk.py",
    api: "chat",
    holes: { structured_by_tool: noTool },
    end: "stop",
    sendsBack: { signature: noField, reasoning: true },
    errors: { ...openAi, cut: brokenChat },
  },
  {
    id: "openai responses",
    name: "`openai`, Responses",
    package: "openai",
    program: "openai_sdk.py",
    api: "responses",
    holes: { structured_by_tool: noTool },
    end: "completed",
    sendsBack: both,
    // The client has no error for a late failure: it passes on the event.
    errors: { ...openAi, cut: { class: "response.failed", code: "server_error" } },
  },
  {
    id: "anthropic messages",
    name: "`anthropic`",
    package: "anthropic",
    program: "anthropic_sdk.py",
    api: "messages",
    holes: { structured_by_tool: noTool },
    end: "end_turn",
    sendsBack: both,
    errors: { invalid: invalidMessages, limited: limitedMessages, cut: brokenMessages },
    loopBegins: "refused",
  },
  {
    id: "langchain ChatOpenAI",
    name: "LangChain `ChatOpenAI`",
    package: "langchain-openai",
    program: "langchain_clients.py",
    api: "chat",
    holes: {},
    end: "stop",
    sendsBack: { signature: noField, reasoning: { why: "the client drops reasoning_content" } },
    errors: { ...langChainOpenAi, cut: brokenChat },
  },
  {
    id: "langchain ChatOpenAI, Responses",
    name: "LangChain `ChatOpenAI`, Responses",
    package: "langchain-openai",
    program: "langchain_clients.py",
    api: "responses",
    holes: {},
    end: "completed",
    sendsBack: both,
    errors: { ...langChainOpenAi, cut: { class: "ValueError" } },
  },
  {
    id: "langchain ChatAnthropic",
    name: "LangChain `ChatAnthropic`",
    package: "langchain-anthropic",
    program: "langchain_clients.py",
    api: "messages",
    holes: {},
    end: "end_turn",
    sendsBack: both,
    errors: {
      invalid: { ...invalidMessages, class: "AnthropicInvalidRequestError", cause: invalidMessages },
      limited: { ...limitedMessages, class: "AnthropicRateLimitError", cause: limitedMessages },
      cut: brokenMessages,
    },
  },
  {
    id: "pydantic-ai OpenAIChatModel",
    name: "Pydantic AI `OpenAIChatModel`",
    package: "pydantic-ai-slim",
    program: "pydantic_ai_clients.py",
    api: "chat",
    holes: {},
    end: "stop",
    sendsBack: { signature: noField, reasoning: true },
    errors: {
      ...pydantic(invalidField, rateLimit),
      cut: { class: "ModelUnavailableError", status_code: 503, cause: brokenChat },
    },
  },
  {
    id: "pydantic-ai OpenAIResponsesModel",
    name: "Pydantic AI `OpenAIResponsesModel`",
    package: "pydantic-ai-slim",
    program: "pydantic_ai_clients.py",
    api: "responses",
    holes: {},
    end: "stop",
    sendsBack: both,
    errors: { ...pydantic(invalidField, rateLimit), cut: { class: "ModelServerError", status_code: 500 } },
  },
  {
    id: "pydantic-ai AnthropicModel",
    name: "Pydantic AI `AnthropicModel`",
    package: "pydantic-ai-slim",
    program: "pydantic_ai_clients.py",
    api: "messages",
    holes: {},
    end: "stop",
    sendsBack: both,
    errors: {
      ...pydantic(invalidMessages, limitedMessages),
      cut: { class: "ModelServerError", status_code: 500, cause: brokenMessages },
    },
  },
  {
    id: "agents, Responses",
    name: "OpenAI Agents, Responses",
    package: "openai-agents",
    program: "agents_sdk.py",
    api: "responses",
    holes: { structured_by_tool: noTool },
    end: undefined,
    sendsBack: both,
    errors: { ...openAi, cut: { class: "ModelBehaviorError" } },
  },
  {
    id: "agents, chat",
    name: "OpenAI Agents, chat completions",
    package: "openai-agents",
    program: "agents_sdk.py",
    api: "chat",
    holes: { structured_by_tool: noTool },
    end: undefined,
    sendsBack: {
      signature: noField,
      reasoning: { why: "the client sends it back only if the model's name has deepseek", unless: "deepseek" },
    },
    errors: { ...openAi, cut: brokenChat },
  },
];

/** A client for Python with embeddings. */
export interface EmbeddingClient extends Pick<PythonClient, "id" | "name" | "package" | "program"> {
  /** Whether the client shows the usage. */
  readonly hasUsage: boolean;
  readonly errors: Pick<PythonClient["errors"], "invalid" | "limited">;
}

const invalidDimensions = { ...invalidField, param: "dimensions" };

/** The clients with embeddings. */
export const embeddingClients: readonly EmbeddingClient[] = [
  {
    id: "openai embeddings",
    name: "`openai`, embeddings",
    package: "openai",
    program: "openai_sdk.py",
    hasUsage: true,
    errors: { invalid: invalidDimensions, limited: rateLimit },
  },
  {
    id: "langchain OpenAIEmbeddings",
    name: "LangChain `OpenAIEmbeddings`",
    package: "langchain-openai",
    program: "langchain_clients.py",
    hasUsage: false,
    errors: { invalid: invalidDimensions, limited: rateLimit },
  },
  {
    id: "pydantic-ai OpenAIEmbeddingModel",
    name: "Pydantic AI `OpenAIEmbeddingModel`",
    package: "pydantic-ai-slim",
    program: "pydantic_ai_clients.py",
    hasUsage: true,
    errors: pydantic(invalidDimensions, rateLimit),
  },
];
