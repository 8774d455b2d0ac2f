import type { DescMessage, Registry } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { excessOf } from "../../chat/validation/json-bounds.ts";
import { type GatewayError, invalidRequest } from "../../errors.ts";
import { jsonMistakes } from "./json-mistakes/json-mistakes.ts";
import { longNumbers } from "./json-mistakes/long-numbers.ts";

const utf8 = new TextDecoder();

interface JsonRequests {
  /** Type of the request. */
  readonly schema: DescMessage;
  /** Maximum number of values in a request. */
  readonly maxValues: number;
  /** Types that a google.protobuf.Any can have. */
  readonly registry: Registry;
  /** Called with the text of each request before Connect decodes it. */
  readonly onText: (text: string) => void;
}

/** Creates the options with which Connect decodes the JSON requests of one method. */
export function jsonOptions({ schema, maxValues, registry, onText }: JsonRequests) {
  const longNumber = longNumbers(schema);
  return {
    registry,
    // Reject unknown fields, so that the caller notices a misspelled name.
    ignoreUnknownFields: false,
    // Replaces the text decoder of Connect 2.2. Connect's types lack this property. A test checks that Connect uses it.
    textDecoder: {
      /** Rejects JSON with more values than the other HTTP APIs allow, and numbers that the decoder would round. */
      decode(bytes: Uint8Array): string {
        const text = utf8.decode(bytes);
        if (excessOf(text, maxValues) === "values") {
          const message = `the request has more than ${maxValues} JSON values, the maximum of limits.max_values`;
          throw new ConnectError(message, Code.ResourceExhausted);
        }
        onText(text);
        if (longNumber?.test(text) && jsonMistakes(schema, text).length > 0) {
          throw new ConnectError("a number has too many digits", Code.InvalidArgument);
        }
        return text;
      },
    },
  };
}

/**
 * Returns the error for JSON that Connect cannot decode: each mistake with its path. Undefined if there is none.
 * `decoderMessage`: what the decoder reports. It alone sees a name that one object has twice.
 */
export function mistakesIn(schema: DescMessage, text: string, decoderMessage: string): GatewayError | undefined {
  const mistakes = jsonMistakes(schema, text);
  if (mistakes.length > 0) return invalidRequest(mistakes);
  const [, name] = /duplicate object key "(.*)"$/s.exec(decoderMessage) ?? [];
  if (name === undefined) return undefined;
  const description = `has ${JSON.stringify(name.slice(0, longestName))} twice in one object; write it once`;
  return invalidRequest([{ field: [], root: "body", description }]);
}

const longestName = 64;
