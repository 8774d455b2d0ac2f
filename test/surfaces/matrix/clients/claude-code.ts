import Anthropic from "@anthropic-ai/sdk";
import { claudeCodeHeaders, claudeCodeRequest } from "../../messages/claude-code.ts";
import type { Ask, Client, Lab } from "../client.ts";
import { anthropicSdk, said } from "./anthropic.ts";

type Message = Anthropic.MessageParam;

const user = (text: string): Message => ({ role: "user", content: [{ type: "text", text }] });

/** Sends a request of Claude Code, which streams by Anthropic's SDK. */
async function turn(
  { url, fetch }: Lab,
  model: string,
  messages: readonly Message[],
  { signal, onText }: Partial<Ask> = {},
) {
  const client = new Anthropic({
    ...{ baseURL: url, authToken: "caller-key", apiKey: null, maxRetries: 0, fetch },
    defaultHeaders: claudeCodeHeaders,
  });
  const body = { ...claudeCodeRequest(model), messages } as Anthropic.MessageStreamParams;
  const stream = client.messages.stream(body, { ...(signal && { signal }) });
  stream.on("text", (piece) => onText?.(piece));
  return await stream.finalMessage();
}

/** Requests in the form of Claude Code. */
export const claudeCode: Client = {
  ...anthropicSdk,
  name: "Claude Code, replayed",
  tool: "mcp__github__search_issues",
  whole: { why: "Claude Code streams every response" },
  async ask(lab, { prompt, model = lab.provider.model, ...ask }) {
    return said(await turn(lab, model, [user(prompt)], ask));
  },
  async runTools(lab) {
    let messages: readonly Message[] = [user(lab.toolPrompt)];
    for (;;) {
      const answer = await turn(lab, lab.provider.model, messages);
      const calls = answer.content.filter((block) => block.type === "tool_use");
      if (calls.length === 0) return said(answer).text;
      const results = calls.map(({ id, input }) => {
        const { city } = input as { city: string };
        return { type: "tool_result" as const, tool_use_id: id, content: lab.runTool(city) };
      });
      messages = [...messages, { role: "assistant", content: answer.content }, { role: "user", content: results }];
    }
  },
  package: undefined,
  loopBegins: undefined,
  json: { why: "Claude Code asks for no JSON in a turn with tools" },
  canBeWrong: { why: "its requests are replayed as they are" },
};
