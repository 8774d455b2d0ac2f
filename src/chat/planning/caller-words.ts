import { type FieldPath, formatPath } from "../../field-path.ts";

/** Words of the API that the caller uses, for the texts of errors and warnings. */
export interface CallerWords {
  /** Whether it is Dragoman's own API, in which the caller can set every field of ChatRequest. */
  readonly isOwn: boolean;
  /** Returns the caller's name of a ChatRequest field. */
  readonly nameField: (path: FieldPath) => string;
  /** Name of the memory strategy. Undefined: the API has none. */
  readonly memoryStrategy: string | undefined;
  /** What to do to get a whole response instead of a stream. */
  readonly unstreamed: string;
}

/** Words of Dragoman's own API, over gRPC, gRPC-Web and Connect. */
export const ownWords: CallerWords = {
  isOwn: true,
  nameField: formatPath,
  memoryStrategy: "memory_strategy",
  unstreamed: "call CompleteChat",
};
