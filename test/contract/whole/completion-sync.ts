import type { WholeForm } from "../dialect.ts";
import { joinText } from "./chat-completion.ts";
import { dataOf, lastValues, objectsOf } from "./sse-data.ts";

/**
 * Converts CompletionStreamV1Response events to one CompletionSyncV1Response of LLM Engine. It concatenates the text,
 * collects the tokens in a list, keeps the last token counts and drops `finished`.
 */
export const completionSync: WholeForm = {
  provenance:
    "CompletionOutput beside CompletionStreamOutput in dtos/llms/completion.py of scaleapi/llm-engine at a8236961",
  toBody(wire) {
    const events = dataOf(wire);
    if (events === undefined) return undefined;
    const outputs = objectsOf(events, "output");
    const tokens = objectsOf(outputs, "token");
    const { finished: _, token: __, ...last } = lastValues(outputs);
    return JSON.stringify({
      ...lastValues(events),
      output: { ...last, text: joinText(outputs.map(({ text }) => text)), ...(tokens.length > 0 && { tokens }) },
    });
  },
};
