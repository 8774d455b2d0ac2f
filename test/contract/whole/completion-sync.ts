import type { WholeForm } from "../dialect.ts";
import { joinText } from "./chat-completion.ts";
import { dataOf, lastValues, objectsOf } from "./sse-data.ts";

/**
 * The rule from CompletionStreamV1Response to CompletionSyncV1Response of LLM Engine: the text in one piece, the last
 * counts, the tokens in a list, and no `finished`.
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
