import OpenAI, { APIError } from "openai";
import { type Caller, type CallerRequest, type CallerResult, Receipt } from "./callers.ts";

/** Names the kind of an error: status and code of the API, or the class of the library's own error. */
function kindOf(error: unknown): string {
  if (error instanceof APIError && error.status !== undefined)
    return `${error.status} ${error.code ?? error.type ?? ""}`.trim();
  if (error instanceof APIError && error.code) return `error event ${error.code}`;
  return error instanceof Error ? error.constructor.name : String(error);
}

/** Calls an OpenAI-compatible API with OpenAI's own library, without its retries: callers see what it returns. */
export class OpenAICaller implements Caller {
  readonly #client: OpenAI;

  constructor(baseURL: string, headers: Readonly<Record<string, string>> = {}) {
    this.#client = new OpenAI({
      baseURL,
      apiKey: "bench",
      maxRetries: 0,
      defaultHeaders: headers,
      logLevel: "off",
    });
  }

  async call({ model, prompt, mode, deadlineMs, leaveAfterMs }: CallerRequest): Promise<CallerResult> {
    const receipt = new Receipt();
    // The library's timeout ends with the headers of a stream. The signal holds for the whole call.
    const signal = AbortSignal.timeout(leaveAfterMs ?? deadlineMs);
    // It tells the server of its timeout in a header.
    const options = { signal, timeout: deadlineMs };
    const body = { model, messages: [{ role: "user" as const, content: prompt }] };
    try {
      if (mode === "unary") {
        const { choices } = await this.#client.chat.completions.create({ ...body, stream: false }, options);
        // Some gateways return an error object with status 200: it has no choices.
        receipt.addText(choices?.[0]?.message?.content);
        receipt.finishReason = choices?.[0]?.finish_reason;
      } else {
        for await (const { choices } of await this.#client.chat.completions.create(
          { ...body, stream: true },
          options,
        )) {
          receipt.addText(choices?.[0]?.delta?.content);
          receipt.finishReason = choices?.[0]?.finish_reason ?? receipt.finishReason;
        }
      }
    } catch (error) {
      receipt.error = kindOf(error);
    }
    return receipt.result(signal.aborted || receipt.error === "APIConnectionTimeoutError");
  }

  close(): void {}
}
