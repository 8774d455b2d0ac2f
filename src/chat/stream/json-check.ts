import { type Context, createContext, Script } from "node:vm";
import { Validator } from "@cfworker/json-schema";
import { GatewayError } from "../../errors.ts";
import { FinishReason } from "../../gen/dragoman/v1/completion_pb.js";
import type { OutputFormat } from "../../gen/dragoman/v1/output_format_pb.js";
import type { ChatEvent } from "./events.ts";

/** Whether a parsed answer is what was asked for. */
type Accepts = (value: unknown) => boolean;

/**
 * How long an answer may be checked against a schema. A check holds up every other call, and takes some milliseconds;
 * but a large schema and a large answer multiply, and `uniqueItems` compares every item with every other.
 */
const longestCheckMs = 250;

/**
 * Checks at the end of each choice that the answer is the JSON that was asked for. `againstSchema` also holds it to the
 * schema, for models that cannot be held to it themselves. Undefined when no JSON was asked for.
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
        : "the model did not write the JSON that was asked for; ask again, and say in a message what JSON is wanted",
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
      return (value) => runWithin(() => new Validator(JSON.parse(schemaJson), "2020-12").validate(value).valid);
    }
    default:
      return undefined;
  }
}

function isAccepted(text: string, accepts: Accepts): boolean {
  try {
    return accepts(JSON.parse(text));
  } catch (error) {
    if (!isTimeout(error)) return false;
    const message = "the answer cannot be checked against its schema in time; ask for less, or with a simpler schema";
    throw new GatewayError("JSON_GENERATION_FAILED", message, { failedGeneration: text });
  }
}

const script = new Script("check()");
const timedOut = "ERR_SCRIPT_EXECUTION_TIMEOUT";
let room: Context | undefined;

/** Runs a check, and stops it when it takes too long: only the virtual machine can stop what does not wait. */
function runWithin(check: () => boolean): boolean {
  room ??= createContext({});
  room.check = check;
  try {
    return script.runInContext(room, { timeout: longestCheckMs });
  } finally {
    delete room.check;
  }
}

/** The error is one of the room's, which has an Error of its own. */
function isTimeout(error: unknown): boolean {
  return typeof error === "object" && error !== null && "code" in error && error.code === timedOut;
}
