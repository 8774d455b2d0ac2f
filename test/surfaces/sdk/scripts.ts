import type { Script } from "../../support/replay-upstream.ts";

// Responses of an OpenAI-compatible provider, for the SDK tests.

const envelope = { id: "up-1", created: 1_790_000_000, system_fingerprint: "fp_1" };
const usage = {
  prompt_tokens: 11,
  completion_tokens: 3,
  total_tokens: 14,
  prompt_tokens_details: { cached_tokens: 4 },
};
const json = { "content-type": "application/json" };

/** A whole response. */
export function whole(message: object, finishReason = "stop"): Script {
  const choice = { index: 0, message: { role: "assistant", content: null, ...message }, finish_reason: finishReason };
  const body = { ...envelope, object: "chat.completion", choices: [choice], usage };
  return { headers: json, steps: [{ write: JSON.stringify(body) }] };
}

/** A streamed response. */
export function streamed(deltas: readonly object[], finishReason = "stop"): Script {
  const last = chunk({ choices: [{ index: 0, delta: {}, finish_reason: finishReason }], usage });
  return { steps: [...deltas.map(deltaStep), { write: last }, { write: "data: [DONE]\n\n" }] };
}

/** A stream that starts and then sends nothing until the client disconnects. */
export function stalled(...deltas: readonly object[]): Script {
  return { steps: [...deltas.map(deltaStep), { hold: new Promise<never>(() => {}) }] };
}

/** A stream that starts and then loses its connection. */
export function cut(...deltas: readonly object[]): Script {
  return { steps: [...deltas.map(deltaStep), { cut: true }] };
}

/** A rate limit error that allows a retry after 1 ms. */
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

/** A tool call of `weather`; `callPieces` are its deltas. */
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
