import { CodexError, codexBody, codexHeaders, readAsCodex } from "../../responses/codex.ts";
import type { Ask, Client, Lab } from "../client.ts";

const message = (text: string) => ({ type: "message", role: "user", content: [{ type: "input_text", text }] });

/** Sends a request of Codex, and reads the stream as it does. */
async function turn(
  { url, fetch }: Lab,
  model: string,
  input: readonly object[],
  { signal, onText }: Partial<Ask> = {},
) {
  const response = await fetch(`${url}/v1/responses`, {
    ...{ method: "POST", headers: codexHeaders, body: JSON.stringify(codexBody(model, input)) },
    ...(signal && { signal }),
  });
  return await readAsCodex(response, onText);
}

const rejected = { class: "CodexError", status: 400, code: "invalid_value" };

/** Requests in the form of Codex, and its rules for reading a stream and for sending items back. */
export const codex: Client = {
  name: "Codex, replayed",
  api: "responses",
  // A function of its namespace `mcp__docs__`.
  tool: "mcp__docs__search",
  whole: { why: "Codex streams every response" },
  async ask(lab, { prompt, model = lab.provider.model, ...ask }) {
    const { shown, usage } = await turn(lab, model, [message(prompt)], ask);
    return { text: shown, inputTokens: usage.input_tokens, outputTokens: usage.output_tokens };
  },
  async runTools(lab) {
    let input: readonly object[] = [message(lab.toolPrompt)];
    for (;;) {
      const { items, shown } = await turn(lab, lab.provider.model, input);
      const calls = items.filter(({ type }) => type === "function_call");
      if (calls.length === 0) return shown;
      const outputs = calls.map(({ call_id, arguments: text }) => {
        return { type: "function_call_output", call_id, output: lab.runTool(JSON.parse(String(text)).city) };
      });
      input = [...input, ...items, ...outputs];
    }
  },
  sendsBack: { signature: true, reasoning: true },
  json: { why: "Codex asks for no JSON in a turn with tools" },
  canBeWrong: { why: "its requests are replayed as they are" },
  thrown(error) {
    if (!(error instanceof CodexError)) throw error;
    return { class: error.constructor.name, status: error.status, code: error.code };
  },
  errors: {
    limited: { class: "CodexError", status: 429, code: "rate_limit_exceeded" },
    down: { class: "CodexError", status: 503, code: "server_is_overloaded" },
    rejected,
    "wrong field": rejected,
    "unknown model": { class: "CodexError", status: 404, code: "model_not_found" },
  },
  brokenOff: { class: "CodexError", status: undefined, code: "server_error" },
  aborted: { whole: "DOMException", streamed: "DOMException" },
};
