/** Chunk of an OpenAI stream with the content `text`. */
export function textChunk(text: string): string {
  return chunk({ choices: [{ index: 0, delta: { role: "assistant", content: text }, finish_reason: null }] });
}

/** Last chunks of an OpenAI stream: the finish reason, the usage and `[DONE]`. */
export const streamEnd = [
  chunk({ choices: [{ index: 0, delta: {}, finish_reason: "stop" }] }),
  chunk({ choices: [], usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 } }),
  "data: [DONE]\n\n",
].join("");

function chunk(fields: object): string {
  const envelope = { id: "chatcmpl-1", object: "chat.completion.chunk", created: 1_790_000_000 };
  return `data: ${JSON.stringify({ ...envelope, ...fields })}\n\n`;
}
