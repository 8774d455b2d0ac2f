import { z } from "zod";
import { extendReader } from "../../../kit/error-body.ts";
import { promptTooLong, type Sentence } from "../../../kit/sentences.ts";

/** Reads Cerebras' errors, which are flat objects. In a stream, they contain the HTTP status. */
export const readCerebrasError = extendReader(
  z.object({ status_code: z.number().optional().catch(undefined) }),
  ({ status_code: status }, common) => ({ status: status ?? common.status }),
);

export const cerebrasSentences: readonly Sentence[] = [
  // https://github.com/cline/cline/issues/5140
  promptTooLong(/current length is (?<requested>\d+) while limit is (?<limit>\d+)/i),
];
