import type { Reason } from "../../../src/errors.ts";
import type { Dialect } from "../../contract/dialect.ts";
import { dialects as anthropic } from "../../contract/dialects/anthropic.ts";
import { dialects as bedrock } from "../../contract/dialects/bedrock.ts";
import { dialects as cohere } from "../../contract/dialects/cohere.ts";
import { dialects as deepseek } from "../../contract/dialects/deepseek.ts";
import { dialects as gemini } from "../../contract/dialects/gemini.ts";
import { dialects as mistral } from "../../contract/dialects/mistral.ts";
import { dialects as openai } from "../../contract/dialects/openai.ts";
import { responsesDialect as openaiResponses } from "../../contract/fixtures/openai-responses-dialect.ts";

// The providers of the matrix. Each one holds the same small conversations. A replayed provider holds them in the wire
// format of its contract cases (upstream.ts), and the echo provider by scripts in the prompts.

/** What the user of a client wants, as texts that the replayed models understand. */
export const prompts = {
  text: "Say hello.",
  json: "Name a city and its temperature, as JSON.",
  stall: "Say half of it.",
  cut: "Say half of it, then fail.",
  limited: "Exceed the rate limit.",
  down: "Be down.",
  rejected: "Be wrong.",
} as const;
export type Prompt = keyof typeof prompts;

/** Names the tool that the model must call, so that each client can declare its own. */
export const toolPrompt = (tool: string): string => `Call ${tool} for each city.`;
export const calledTool = /Call (\S+) for each city\./;

/** What a model says to `prompts.text`, in two deltas. */
export const greeting = ["Hello ", "there."] as const;
/** What a model says before a stall or a failure. */
export const half = "Half";
/** What a model says to `prompts.json`. */
export const place = { city: "Oslo", degrees: 3 };

/** The reasons with which a provider rejects `prompts.limited`, `.down` and `.rejected`. */
export const failures = {
  limited: "PROVIDER_RATE_LIMITED",
  down: "PROVIDER_UNAVAILABLE",
  rejected: "INVALID_REQUEST",
} as const satisfies Partial<Record<Prompt, Reason>>;
export type Failure = keyof typeof failures;
export const failureNames: readonly Failure[] = ["limited", "down", "rejected"];

/** What the model requires back in the next request, beside its calls. */
export interface State {
  /** Text that the body of the next request must have. */
  readonly text: string;
  /** What it is, for the table of the documentation. */
  readonly kind: "signature" | "reasoning";
}

/** A row of the matrix. */
export interface Provider {
  readonly name: string;
  /** Model that the client names. */
  readonly model: string;
  /** Calls of each round of the tool conversation: the cities. */
  readonly rounds: readonly (readonly string[])[];
  /** Text of the last response of the tool conversation. */
  readonly report: string;
  prompt(name: Prompt): string;
  toolPrompt(tool: string): string;
  /** Result of the tool for a city. */
  resultOf(city: string, tool: string): string;
  /** Contract cases whose wire format the upstream speaks. Undefined: Dragoman itself is the provider. */
  readonly dialect?: Dialect;
  /** The provider's second API, and the end of its path. */
  readonly second?: { readonly path: string; readonly dialect: Dialect };
  readonly state?: State;
  /** Changes the bytes of a response with tool calls. */
  sign?(wire: string): string;
  /** Environment that turns the provider on. */
  environment(baseUrl: string): Record<string, string>;
}

export const signature = "c2lnbmVk";
/** Reasoning before the first calls. */
export const thought = "I look at each city.";

export const degrees: Readonly<Record<string, string>> = { Oslo: "3 degrees", Bergen: "4 degrees", Rome: "20 degrees" };

const script = (fields: object): string => JSON.stringify({ echo: fields });
const callFor = (name: string, city: string) =>
  script({ reasoning: thought, tool_calls: [{ name, arguments: { city } }] });
const fail = (reason: Reason) => script({ fail: { reason } });

/** Echo repeats the last message, so that the result for Oslo is the script of the next round. */
const echo: Provider = {
  name: "echo",
  model: "echo/echo",
  rounds: [["Oslo"], ["Rome"]],
  report: "20 degrees",
  prompt: (name) => echoPrompts[name],
  toolPrompt: (tool) => callFor(tool, "Oslo"),
  resultOf: (city, tool) => (city === "Oslo" ? callFor(tool, "Rome") : (degrees[city] ?? "")),
  environment: () => ({}),
};

const echoPrompts: Readonly<Record<Prompt, string>> = {
  text: script({ deltas: greeting }),
  json: script({ text: JSON.stringify(place) }),
  stall: script({ text: half, stall: { after: 1 } }),
  cut: script({ text: half, fail: { after: 1, reason: "PROVIDER_STREAM_INTERRUPTED" } }),
  limited: fail(failures.limited),
  down: fail(failures.down),
  rejected: fail(failures.rejected),
};

interface Own extends Pick<Provider, "state" | "sign" | "second"> {
  readonly variables?: readonly [key: string, url: string];
}

function replayed([dialect]: readonly Dialect[], { variables, ...own }: Own = {}): Provider {
  if (dialect === undefined) throw new Error("the provider has no contract cases");
  const { name, model } = dialect;
  const [key, url] = variables ?? [`${name.toUpperCase()}_API_KEY`, `${name.toUpperCase()}_BASE_URL`];
  return {
    name,
    model: `${name}/${model.providerModel}`,
    rounds: [["Oslo", "Bergen"], ["Rome"]],
    report: "Oslo: 3 degrees. Bergen: 4 degrees. Rome: 20 degrees.",
    prompt: (each) => prompts[each],
    toolPrompt,
    resultOf: (city) => degrees[city] ?? "",
    dialect,
    environment: (baseUrl) => ({ [key]: "provider-key", [url]: `${baseUrl}/${name}` }),
    ...own,
  };
}

const signed: State = { text: signature, kind: "signature" };
const reasoned: State = { text: thought, kind: "reasoning" };

/** The rows of the matrix. */
export const providers: readonly Provider[] = [
  echo,
  // Codex asks for OpenAI's own web search, which only the Responses API has.
  replayed(openai, { second: { path: "/responses", dialect: openaiResponses } }),
  replayed(anthropic, { state: signed }),
  replayed(gemini, {
    state: signed,
    // Gemini signs the first of parallel calls: https://ai.google.dev/gemini-api/docs/thought-signatures
    sign: (wire) => wire.replace('"functionCall":{', `"thoughtSignature":"${signature}","functionCall":{`),
  }),
  replayed(bedrock, { state: signed, variables: ["AWS_BEARER_TOKEN_BEDROCK", "BEDROCK_BASE_URL"] }),
  replayed(mistral, { state: signed }),
  replayed(cohere, { state: reasoned }),
  replayed(deepseek, { state: reasoned }),
];

/** Models of the rows for embeddings, beside `echo/embed`. */
export const embeddingModels: readonly string[] = [
  "openai/text-embedding-3-small",
  "mistral/mistral-embed",
  "cohere/embed-v4.0",
  "gemini/gemini-embedding-001",
  "bedrock/cohere.embed-english-v3",
  "vllm/intfloat/e5",
];
