import type { Script } from "../../support/replay-upstream.ts";

// What a provider of OpenAI's dialect answers, for every story that the clients tell.

const envelope = { id: "up-1", created: 1_790_000_000, model: "m", system_fingerprint: "fp_1" };
const usage = {
  prompt_tokens: 11,
  completion_tokens: 3,
  total_tokens: 14,
  prompt_tokens_details: { cached_tokens: 4 },
};
const json = { "content-type": "application/json" };

/** An answer in one piece. */
export function whole(message: object, finishReason = "stop"): Script {
  const choice = { index: 0, message: { role: "assistant", content: null, ...message }, finish_reason: finishReason };
  const body = { ...envelope, object: "chat.completion", choices: [choice], usage };
  return { headers: json, steps: [{ write: JSON.stringify(body) }] };
}

/** An answer in a stream. */
export function streamed(deltas: readonly object[], finishReason = "stop"): Script {
  const last = chunk({ choices: [{ index: 0, delta: {}, finish_reason: finishReason }], usage });
  return { steps: [...deltas.map(deltaStep), { write: last }, { write: "data: [DONE]\n\n" }] };
}

/** A stream that begins, and then says nothing until it is given up. */
export function stalled(...deltas: readonly object[]): Script {
  return { steps: [...deltas.map(deltaStep), { hold: new Promise<never>(() => {}) }] };
}

/** A stream that begins and is cut. */
export function cut(...deltas: readonly object[]): Script {
  return { steps: [...deltas.map(deltaStep), { cut: true }] };
}

/** Too much was asked; a millisecond later it is not. */
export const limited: Script = {
  status: 429,
  headers: { ...json, "retry-after-ms": "1" },
  steps: [{ write: JSON.stringify({ error: { message: "slow down", code: "rate_limit_exceeded" } }) }],
};

export const weather = {
  name: "weather",
  description: "Tells the weather.",
  parameters: { type: "object" as const, properties: { city: { type: "string" as const } }, required: ["city"] },
};

/** A call of `weather`, as a whole and in pieces. */
export const call = { id: "call_1", type: "function", function: { name: "weather", arguments: '{"city":"Oslo"}' } };
export const callPieces = [
  { tool_calls: [{ index: 0, ...call, function: { name: "weather", arguments: "" } }] },
  { tool_calls: [{ index: 0, function: { arguments: '{"city":' } }] },
  { tool_calls: [{ index: 0, function: { arguments: '"Oslo"}' } }] },
];

function deltaStep(delta: object) {
  return { write: chunk({ choices: [{ index: 0, delta }] }) };
}

function chunk(fields: object): string {
  return `data: ${JSON.stringify({ ...envelope, object: "chat.completion.chunk", ...fields })}\n\n`;
}
