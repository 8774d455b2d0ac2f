import type { WholeForm } from "../dialect.ts";
import { dataOf, isFields } from "./sse-data.ts";

/**
 * Converts the events of a stream to the whole response: the last event has it. A stream that ends with an error, or
 * without its last event, becomes that error, or the response so far.
 */
export const openAiResponse: WholeForm = {
  provenance: "Response of openai 7.55.0, the type of both forms",
  toBody(wire) {
    const events = dataOf(wire);
    if (events === undefined) return undefined;
    const error = events.find(({ type }) => type === "error");
    if (error !== undefined) return JSON.stringify({ error: isFields(error.error) ? error.error : error });
    const last = events.findLast(({ response }) => isFields(response));
    return JSON.stringify(last?.response);
  },
};
