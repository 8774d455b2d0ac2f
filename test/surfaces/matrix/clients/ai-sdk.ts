import { createAnthropic } from "@ai-sdk/anthropic";
import { createOpenAI } from "@ai-sdk/openai";
import { APICallError, generateText, isStepCount, jsonSchema, type LanguageModel, Output, streamText, tool } from "ai";
import { type Ask, type Client, type Lab, placeSchema, type Thrown, toolDescription, toolSchema } from "../client.ts";

// Otherwise it writes to the console that it does not know the names of the models.
Object.assign(globalThis, { AI_SDK_LOG_WARNINGS: false });

const place = jsonSchema<{ city: string; degrees: number }>({ ...placeSchema });
const city = jsonSchema<{ city: string }>({ ...toolSchema });

interface Own extends Pick<Client, "name" | "package" | "api" | "errors" | "brokenOff"> {
  /** Option with a value that the API rejects. */
  readonly wrong: object;
  modelOf(lab: Lab, model: string): LanguageModel;
  readonly providerOptions?: { readonly openai: { store: boolean; include: string[]; forceReasoning: boolean } };
}

/** Runs a call of the AI SDK, whole or streamed. Without `onError` it would write the errors of a stream to the console. */
async function run(streamed: boolean, options: Parameters<typeof generateText>[0], onText?: Ask["onText"]) {
  if (!streamed) return await generateText(options);
  let failure: unknown;
  const answer = streamText({
    ...options,
    onError({ error }) {
      failure = error;
    },
  });
  for await (const piece of answer.textStream) onText?.(piece);
  if (failure !== undefined) throw failure;
  return { text: await answer.text, usage: await answer.usage, output: undefined };
}

function thrown(error: unknown): Thrown {
  if (error instanceof Error && error.name === "AI_StreamProviderError")
    return { class: error.name, status: undefined };
  if (!APICallError.isInstance(error)) throw error;
  const { error: body } = JSON.parse(error.responseBody ?? "{}");
  const { type, code, param } = body ?? {};
  return { class: error.name, status: error.statusCode, type, code, field: param };
}

function aiSdk({ modelOf, wrong, providerOptions, ...own }: Own): Client {
  const more = { maxRetries: 0, ...(providerOptions && { providerOptions }) };
  return {
    tool: "weather",
    whole: true,
    async ask(lab, { prompt, streamed, model = lab.provider.model, isWrong, signal, onText }) {
      const options = {
        ...more,
        ...{ model: modelOf(lab, model), prompt },
        ...(isWrong && wrong),
        ...(signal && { abortSignal: signal }),
      };
      const { text, usage } = await run(streamed, options, onText);
      return { text, inputTokens: usage.inputTokens, outputTokens: usage.outputTokens };
    },
    async runTools(lab, streamed) {
      const { text } = await run(streamed, {
        ...more,
        ...{ model: modelOf(lab, lab.provider.model), prompt: lab.toolPrompt, stopWhen: isStepCount(5) },
        tools: {
          weather: tool({
            description: toolDescription,
            inputSchema: city,
            execute: async (input) => lab.runTool(input.city),
          }),
        },
      });
      return text;
    },
    sendsBack: { signature: true, reasoning: true },
    async json(lab, prompt, streamed) {
      const options = {
        ...more,
        ...{ model: modelOf(lab, lab.provider.model), prompt, output: Output.object({ schema: place }) },
      };
      return streamed ? await streamText(options).output : (await generateText(options)).output;
    },
    canBeWrong: true,
    thrown,
    aborted: { whole: "DOMException", streamed: "DOMException" },
    ...own,
  };
}

const failed = { class: "AI_APICallError" };

export const aiSdkOpenAi: Client = aiSdk({
  name: "`@ai-sdk/openai`",
  package: "@ai-sdk/openai",
  api: "responses",
  // The default model of the provider speaks the Responses API.
  modelOf: ({ url, fetch }, model) => createOpenAI({ baseURL: `${url}/v1`, apiKey: "caller-key", fetch })(model),
  providerOptions: { openai: { store: false, include: ["reasoning.encrypted_content"], forceReasoning: true } },
  // The package sends neither temperature nor top_p to models that reason.
  wrong: { maxOutputTokens: 3_000_000_000 },
  errors: {
    limited: { ...failed, status: 429, type: "rate_limit_error", code: "rate_limit_exceeded", field: null },
    down: { ...failed, status: 503, type: "service_unavailable_error", code: "server_is_overloaded", field: null },
    rejected: { ...failed, status: 400, type: "invalid_request_error", code: "invalid_value", field: null },
    "wrong field": {
      ...{ ...failed, status: 400, type: "invalid_request_error", code: "invalid_value", field: "max_output_tokens" },
    },
    "unknown model": { ...failed, status: 404, type: "invalid_request_error", code: "model_not_found", field: "model" },
  },
  brokenOff: { class: "AI_StreamProviderError", status: undefined },
});

export const aiSdkAnthropic: Client = aiSdk({
  name: "`@ai-sdk/anthropic`",
  package: "@ai-sdk/anthropic",
  api: "messages",
  modelOf: ({ url, fetch }, model) => createAnthropic({ baseURL: `${url}/v1`, apiKey: "caller-key", fetch })(model),
  // The package sends no temperature above 1.
  wrong: { topP: 3 },
  errors: {
    limited: { ...failed, status: 429, type: "rate_limit_error" },
    down: { ...failed, status: 529, type: "overloaded_error" },
    rejected: { ...failed, status: 400, type: "invalid_request_error" },
    "wrong field": { ...failed, status: 400, type: "invalid_request_error" },
    "unknown model": { ...failed, status: 404, type: "not_found_error" },
  },
  brokenOff: { class: "AI_StreamProviderError", status: undefined },
});
