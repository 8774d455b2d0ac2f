import { z } from "zod";
import { extendReader, word } from "../../../kit/error-body.ts";
import { promptTooLong, type Sentence } from "../../../kit/sentences.ts";

/** Reads Cerebras' errors, which are flat objects. In a stream, they contain the HTTP status. */
export const readCerebrasError = extendReader(
  z.object({ failed_generation: word, status_code: z.number().optional().catch(undefined) }),
  ({ failed_generation: failedGeneration, status_code: status }, common) => ({
    failedGeneration,
    status: status ?? common.status,
  }),
);

export const cerebrasSentences: readonly Sentence[] = [
  // https://github.com/cline/cline/issues/5140
  promptTooLong(/current length is (?<requested>\d+) while limit is (?<limit>\d+)/i),
];
