import OpenAI from "openai";
import { type Client, type Lab, placeSchema, toolDescription, toolSchema } from "../client.ts";
import { openAiAborted, openAiBrokenOff, openAiErrors, openAiThrown } from "./openai-errors.ts";

const clientOf = ({ url, fetch }: Lab) =>
  new OpenAI({ baseURL: `${url}/v1`, apiKey: "caller-key", maxRetries: 0, fetch });

const user = (content: string) => [{ role: "user" as const, content }];

const format = {
  type: "json_schema" as const,
  json_schema: { name: "place", strict: true, schema: placeSchema },
};

export const openAiChat: Client = {
  name: "`openai`, chat completions",
  package: "openai",
  api: "chat",
  tool: "weather",
  whole: true,
  async ask(lab, { prompt, streamed, model = lab.provider.model, isWrong, signal, onText }) {
    const { completions } = clientOf(lab).chat;
    const body = { model, messages: user(prompt), ...(isWrong && { temperature: 3 }) };
    const options = { ...(signal && { signal }) };
    if (!streamed) return said(await completions.create(body, options));
    const stream = completions.stream({ ...body, stream_options: { include_usage: true } }, options);
    stream.on("content", (piece) => onText?.(piece));
    return said(await stream.finalChatCompletion());
  },
  async runTools(lab, streamed) {
    const { completions } = clientOf(lab).chat;
    const weather = {
      name: this.tool,
      description: toolDescription,
      parameters: toolSchema,
      parse: JSON.parse,
      function: ({ city }: { city: string }) => lab.runTool(city),
    };
    const body = {
      model: lab.provider.model,
      messages: user(lab.toolPrompt),
      tools: [{ type: "function" as const, function: weather }],
    };
    const runner = streamed ? completions.runTools({ ...body, stream: true }) : completions.runTools(body);
    return (await runner.finalContent()) ?? "";
  },
  sendsBack: {
    signature: { why: "the API has no field for the state of a provider" },
    reasoning: { why: "its loop sends back only the fields that OpenAI has" },
  },
  async json(lab, prompt, streamed) {
    const { completions } = clientOf(lab).chat;
    const body = { model: lab.provider.model, messages: user(prompt), response_format: format };
    const answer = streamed ? await completions.stream(body).finalChatCompletion() : await completions.parse(body);
    return JSON.parse(answer.choices[0]?.message.content ?? "");
  },
  canBeWrong: true,
  thrown: openAiThrown,
  errors: openAiErrors,
  brokenOff: openAiBrokenOff,
  aborted: openAiAborted,
};

function said({ choices: [choice], usage }: OpenAI.ChatCompletion) {
  const { prompt_tokens: inputTokens, completion_tokens: outputTokens } = usage ?? {};
  return { text: choice?.message.content ?? "", inputTokens, outputTokens };
}
