/** The JSON of OpenAI's chat API, as a scripted upstream sends it. */

const envelope = { id: "chatcmpl-bench0123456789", created: 1_760_000_000, model: "bench-2026-01-01" };

function usageOf(deltas: number) {
  return { prompt_tokens: 10, completion_tokens: deltas, total_tokens: 10 + deltas };
}

export function errorBody(status: number): string {
  const [type, code, message] =
    status === 429
      ? ["rate_limit_exceeded", "rate_limit_exceeded", "Rate limit reached for requests"]
      : ["server_error", "internal_error", "The server had an error while processing your request"];
  return JSON.stringify({ error: { message, type, param: null, code } });
}

export function completionBody(content: string, deltas: number): string {
  const message = { role: "assistant", content, refusal: null };
  const choices = [{ index: 0, message, logprobs: null, finish_reason: "stop" }];
  return JSON.stringify({ ...envelope, object: "chat.completion", choices, usage: usageOf(deltas) });
}

function event(data: string): string {
  return `data: ${data}\n\n`;
}

function chunk(choices: readonly unknown[], rest: object = {}): string {
  return event(JSON.stringify({ ...envelope, object: "chat.completion.chunk", choices, ...rest }));
}

function choice(delta: object, finishReason: string | null = null): readonly unknown[] {
  return [{ index: 0, delta, logprobs: null, finish_reason: finishReason }];
}

export function firstEvent(): string {
  return chunk(choice({ role: "assistant", content: "", refusal: null }));
}

export function deltaEvent(content: string): string {
  return chunk(choice({ content }));
}

export function lastEvents(deltas: number, withUsage: boolean): string {
  return chunk(choice({}, "stop")) + (withUsage ? chunk([], { usage: usageOf(deltas) }) : "") + event("[DONE]");
}

export function errorEvent(): string {
  return event(errorBody(500));
}

/** An event whose JSON cannot be parsed. */
export function malformedEvent(): string {
  return event(chunk(choice({ content: "" })).slice("data: ".length, 60));
}
