import { Validator } from "@cfworker/json-schema";
import { GatewayError } from "../../errors.ts";
import { FinishReason } from "../../gen/dragoman/v1/completion_pb.js";
import type { OutputFormat } from "../../gen/dragoman/v1/output_format_pb.js";
import { runWithin, TookTooLong } from "../../run-within.ts";
import { ExcessiveJson, mostLevels, mostValues, parseBounded } from "../validation/json-bounds.ts";
import type { ChatEvent } from "./events.ts";

/** Whether a parsed response matches the requested output format. */
type Accepts = (value: unknown) => boolean;

/**
 * Maximum time in ms of validating a response against a schema. Validation blocks all other calls. It usually takes a
 * few ms. But it grows with schema size times response size, and `uniqueItems` compares every pair of items.
 */
const longestCheckMs = 150;

/**
 * Creates a check of a stream's events. At the end of each choice it throws JSON_GENERATION_FAILED if the text is not
 * the requested JSON. Returns undefined if the request has no JSON output format.
 *
 * @param againstSchema whether to validate the text against the schema too, for models that do not support schemas
 */
export function createJsonCheck(
  format: OutputFormat | undefined,
  againstSchema = false,
): ((event: ChatEvent) => void) | undefined {
  const accepts = acceptsOf(format, againstSchema);
  if (accepts === undefined) return undefined;
  const texts = new Map<number, string>();
  return (event) => {
    if (event.case === "delta" && event.value.delta.case === "text") {
      const { choiceIndex, delta } = event.value;
      texts.set(choiceIndex, (texts.get(choiceIndex) ?? "") + delta.value);
    }
    if (event.case !== "finished") return;
    const { choiceIndex, finishReason } = event.value;
    if (finishReason === FinishReason.TOOL_CALLS || finishReason === FinishReason.CONTENT_FILTER) return;
    const text = texts.get(choiceIndex) ?? "";
    if (isAccepted(text, accepts)) return;
    throw new GatewayError(
      "JSON_GENERATION_FAILED",
      finishReason === FinishReason.LENGTH
        ? "the model reached the token limit before its JSON was complete; raise max_output_tokens"
        : "the model did not return the requested JSON; describe the JSON in a message and retry",
      { failedGeneration: text },
    );
  };
}

function acceptsOf(format: OutputFormat | undefined, againstSchema: boolean): Accepts | undefined {
  switch (format?.format.case) {
    case "jsonObject":
      return (value) => typeof value === "object" && value !== null && !Array.isArray(value);
    case "jsonSchema": {
      if (!againstSchema) return () => true;
      const { schemaJson } = format.format.value;
      return (value) =>
        runWithin(longestCheckMs, () => new Validator(JSON.parse(schemaJson), "2020-12").validate(value).valid);
    }
    default:
      return undefined;
  }
}

function isAccepted(text: string, accepts: Accepts): boolean {
  try {
    return accepts(parseBounded(text));
  } catch (error) {
    if (error instanceof ExcessiveJson) {
      const bounds = `${mostLevels} levels, ${mostValues} values or many different field names`;
      const message = `the model's JSON has more than ${bounds}; request less output`;
      throw new GatewayError("JSON_GENERATION_FAILED", message, { failedGeneration: text });
    }
    if (!(error instanceof TookTooLong)) return false;
    const message = `validating the response took over ${longestCheckMs} ms; simplify the schema or request less output`;
    throw new GatewayError("JSON_GENERATION_FAILED", message, { failedGeneration: text });
  }
}
