import Anthropic from "@anthropic-ai/sdk";
import { betaTool } from "@anthropic-ai/sdk/helpers/beta/json-schema";
import { type Client, type Lab, placeSchema, type Thrown, toolDescription, toolSchema } from "../client.ts";

const clientOf = ({ url, fetch }: Lab) => new Anthropic({ baseURL: url, apiKey: "caller-key", maxRetries: 0, fetch });

const user = (content: string) => [{ role: "user" as const, content }];

/** Reads an error of the package @anthropic-ai/sdk. Its message begins with the field. */
export function anthropicThrown(error: unknown): Thrown {
  if (!(error instanceof Anthropic.APIError)) throw error;
  const { status, type, error: body } = error;
  const { message = "" } = (body as Anthropic.ErrorResponse | undefined)?.error ?? {};
  return { class: error.constructor.name, status, type: type ?? undefined, field: /^(\w+): /.exec(message)?.[1] };
}

export const anthropicErrors: Client["errors"] = {
  limited: { class: "RateLimitError", status: 429, type: "rate_limit_error" },
  down: { class: "OverloadedError", status: 529, type: "overloaded_error" },
  rejected: { class: "BadRequestError", status: 400, type: "invalid_request_error" },
  "wrong field": {
    ...{ class: "BadRequestError", status: 400, type: "invalid_request_error", field: "temperature" },
  },
  "unknown model": { class: "NotFoundError", status: 404, type: "not_found_error" },
};

export const anthropicSdk: Client = {
  name: "`@anthropic-ai/sdk`",
  package: "@anthropic-ai/sdk",
  api: "messages",
  tool: "weather",
  whole: true,
  async ask(lab, { prompt, streamed, model = lab.provider.model, isWrong, signal, onText }) {
    const { messages } = clientOf(lab);
    const body = { model, max_tokens: 100, messages: user(prompt), ...(isWrong && { temperature: 3 }) };
    const options = { ...(signal && { signal }) };
    if (!streamed) return said(await messages.create(body, options));
    const stream = messages.stream(body, options);
    stream.on("text", (piece) => onText?.(piece));
    return said(await stream.finalMessage());
  },
  async runTools(lab, stream) {
    const tool = betaTool({
      name: this.tool,
      description: toolDescription,
      inputSchema: toolSchema,
      run: ({ city }) => lab.runTool(city),
    });
    const runner = clientOf(lab).beta.messages.toolRunner({
      model: lab.provider.model,
      max_tokens: 100,
      messages: user(lab.toolPrompt),
      tools: [tool],
      stream,
    });
    const { content } = await runner.runUntilDone();
    return textOf(content);
  },
  // The runner first tries to keep the conversation at the server (`thread`), and then sends all messages.
  loopBegins: "refused",
  sendsBack: { signature: true, reasoning: true },
  async json(lab, prompt, streamed) {
    const { messages } = clientOf(lab);
    const body = {
      model: lab.provider.model,
      max_tokens: 100,
      messages: user(prompt),
      output_config: { format: { type: "json_schema" as const, schema: placeSchema } },
    };
    const { content } = streamed ? await messages.stream(body).finalMessage() : await messages.parse(body);
    return JSON.parse(textOf(content));
  },
  canBeWrong: true,
  thrown: anthropicThrown,
  errors: anthropicErrors,
  brokenOff: { class: "APIError", status: undefined, type: "api_error" },
  aborted: { whole: "APIUserAbortError", streamed: "APIUserAbortError" },
};

type Block = { readonly type: string } | { readonly type: "text"; readonly text: string };

function textOf(content: readonly Block[]): string {
  return content.map((block) => ("text" in block ? block.text : "")).join("");
}

export function said({ content, usage }: Anthropic.Message) {
  return { text: textOf(content), inputTokens: usage.input_tokens, outputTokens: usage.output_tokens };
}
