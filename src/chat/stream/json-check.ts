import { GatewayError } from "../../errors.ts";
import { FinishReason } from "../../gen/dragoman/v1/completion_pb.js";
import { OnInvalid, type OutputFormat, type OutputViolation } from "../../gen/dragoman/v1/output_format_pb.js";
import { runWithin, TookTooLong } from "../../run-within.ts";
import { ExcessiveJson, mostLevels, mostValues, parseBounded } from "../validation/json-bounds.ts";
import type { ChatEvent } from "./events.ts";
import { outputViolation, schemaViolation } from "./schema-violation.ts";

/** Returns why a parsed response is not in the requested output format. Undefined if it is. */
type FindViolation = (value: unknown) => OutputViolation | undefined;

/**
 * Maximum time in ms of validating a response against a schema. Validation blocks all other calls. It usually takes a
 * few ms. But it grows with schema size times response size, and `uniqueItems` compares every pair of items.
 */
const longestCheckMs = 150;

/**
 * Creates a check of a stream's events, which returns each event. If the text of a choice is not the requested JSON, it
 * throws JSON_GENERATION_FAILED at the end of the choice or, with ON_INVALID_RETURN, adds the violation to the event.
 * Returns undefined if the request has no JSON output format.
 *
 * @param againstSchema whether to validate the text against the schema too, for models that do not support schemas
 */
export function createJsonCheck(
  format: OutputFormat | undefined,
  againstSchema = false,
): ((event: ChatEvent) => ChatEvent) | undefined {
  const find = violationFinder(format, againstSchema);
  if (find === undefined) return undefined;
  const texts = new Map<number, string>();
  return (event) => {
    if (event.case === "delta" && event.value.delta.case === "text") {
      const { choiceIndex, delta } = event.value;
      texts.set(choiceIndex, (texts.get(choiceIndex) ?? "") + delta.value);
    }
    if (event.case !== "finished") return event;
    const { choiceIndex, finishReason } = event.value;
    if (finishReason === FinishReason.TOOL_CALLS || finishReason === FinishReason.CONTENT_FILTER) return event;
    const text = texts.get(choiceIndex) ?? "";
    const found = textViolation(text, find);
    if (found === undefined) return event;
    const isCut = finishReason === FinishReason.LENGTH && found.error === undefined;
    if (returnsInvalid(format)) {
      const violation = isCut ? { ...found.violation, message: cutMessage } : found.violation;
      return { case: "finished", value: { ...event.value, outputViolation: violation } };
    }
    const message = found.error ?? (isCut ? cutMessage : wrongMessage);
    throw new GatewayError("JSON_GENERATION_FAILED", message, { failedGeneration: text });
  };
}

const cutMessage = "the model reached the token limit before its JSON was complete; raise the output limit";
const wrongMessage = "the model did not return the requested JSON; describe the JSON in a message and retry";

/** Whether output that is not the requested JSON is returned, and not an error. */
export function returnsInvalid(format: OutputFormat | undefined): boolean {
  return format?.onInvalid === OnInvalid.RETURN;
}

function violationFinder(format: OutputFormat | undefined, againstSchema: boolean): FindViolation | undefined {
  switch (format?.format.case) {
    case "jsonObject":
      return (value) =>
        typeof value === "object" && value !== null && !Array.isArray(value)
          ? undefined
          : outputViolation("the output is JSON, but not an object");
    case "jsonSchema": {
      if (!againstSchema) return () => undefined;
      const { schemaJson } = format.format.value;
      return (value) => runWithin(longestCheckMs, () => schemaViolation(schemaJson, value));
    }
    default:
      return undefined;
  }
}

interface FoundViolation {
  readonly violation: OutputViolation;
  /** Message of the error instead of the usual one. */
  readonly error?: string;
}

function textViolation(text: string, find: FindViolation): FoundViolation | undefined {
  let value: unknown;
  try {
    value = parseBounded(text);
  } catch (error) {
    if (!(error instanceof ExcessiveJson)) return { violation: outputViolation("the output is not JSON") };
    const bounds = `${mostLevels} levels, ${mostValues} values or many different field names`;
    return unchecked(`the model's JSON has more than ${bounds}; request less output`);
  }
  try {
    const violation = find(value);
    return violation && { violation };
  } catch (error) {
    if (!(error instanceof TookTooLong)) return unchecked("the schema cannot be applied; correct its $ref or pattern");
    return unchecked(
      `validating the response took over ${longestCheckMs} ms; simplify the schema or request less output`,
    );
  }
}

/** Returns the violation of an output that is too large to be checked. */
function unchecked(message: string): FoundViolation {
  return { violation: outputViolation(message), error: message };
}
