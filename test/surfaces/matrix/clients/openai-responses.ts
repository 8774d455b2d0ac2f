import OpenAI from "openai";
import { type Client, type Lab, placeSchema, type Thrown, toolDescription, toolSchema } from "../client.ts";
import { openAiAborted, openAiErrors, openAiThrown } from "./openai-errors.ts";

type Input = OpenAI.Responses.ResponseInput;
type Called = OpenAI.Responses.ResponseFunctionToolCall;

const clientOf = ({ url, fetch }: Lab) =>
  new OpenAI({ baseURL: `${url}/v1`, apiKey: "caller-key", maxRetries: 0, fetch });

const format = { type: "json_schema" as const, name: "place", strict: true, schema: placeSchema };

export const openAiResponses: Client = {
  name: "`openai`, responses",
  package: "openai",
  api: "responses",
  tool: "weather",
  whole: true,
  async ask(lab, { prompt, streamed, model = lab.provider.model, isWrong, signal, onText }) {
    const { responses } = clientOf(lab);
    const body = { model, input: prompt, ...(isWrong && { temperature: 3 }) };
    const options = { ...(signal && { signal }) };
    if (!streamed) return said(await responses.create(body, options));
    const stream = responses.stream(body, options);
    stream.on("response.output_text.delta", ({ delta }) => onText?.(delta));
    return said(await stream.finalResponse());
  },
  // The package has no loop of its own for this API: each round sends back all items of `output`, as its guide does.
  async runTools(lab, streamed) {
    const { responses } = clientOf(lab);
    const tool = {
      ...{ type: "function" as const, name: this.tool, description: toolDescription },
      ...{ parameters: toolSchema, strict: true },
    };
    let input: Input = [{ role: "user", content: lab.toolPrompt }];
    for (;;) {
      const body = { model: lab.provider.model, input, tools: [tool], store: false };
      const response = streamed ? await responses.stream(body).finalResponse() : await responses.create(body);
      const calls = [...response.output].filter((item): item is Called => item.type === "function_call");
      if (calls.length === 0) return response.output_text;
      const outputs = calls.map(({ call_id, arguments: text }) => {
        return { type: "function_call_output" as const, call_id, output: lab.runTool(JSON.parse(text).city) };
      });
      input = [...input, ...(response.output as Input), ...outputs];
    }
  },
  sendsBack: { signature: true, reasoning: true },
  async json(lab, prompt, streamed) {
    const { responses } = clientOf(lab);
    const body = { model: lab.provider.model, input: prompt, text: { format } };
    const response = streamed ? await responses.stream(body).finalResponse() : await responses.parse(body);
    return response.output_parsed;
  },
  canBeWrong: true,
  thrown,
  errors: openAiErrors,
  brokenOff: { class: "FailedResponse", status: undefined, code: "server_error" },
  aborted: openAiAborted,
};

/** A response that the package returns with the status `failed`. */
class FailedResponse extends Error {
  readonly code: string | undefined;

  constructor(error: OpenAI.Responses.ResponseError | null) {
    super(error?.message);
    this.code = error?.code;
  }
}

function said({ output_text: text, usage, status, error }: OpenAI.Responses.Response) {
  if (status === "failed") throw new FailedResponse(error);
  return { text, inputTokens: usage?.input_tokens, outputTokens: usage?.output_tokens };
}

function thrown(error: unknown): Thrown {
  if (!(error instanceof FailedResponse)) return openAiThrown(error);
  return { class: error.constructor.name, status: undefined, code: error.code };
}
