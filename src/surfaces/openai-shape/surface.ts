import type { JsonObject } from "@bufbuild/protobuf";
import type { z } from "zod";
import { parseRequest } from "../kit/parse-request.ts";
import type { ChatSurface, SurfaceInput } from "../kit/surface.ts";
import { type AnswerForm, type Asked, toAnswer } from "./answer.ts";
import type { OpenAiBody } from "./body.ts";
import { type ModelNamespace, nameInNamespace } from "./models.ts";
import { createNamer, type OwnNames } from "./names.ts";
import { type RequestReading, readRequest } from "./request.ts";
import { createChunks } from "./stream.ts";

/** One API of the shape that OpenAI's Chat Completions gave so many: what sets it apart from the others, as data. */
export interface OpenAiDialect<Body extends OpenAiBody>
  extends Pick<ChatSurface, "name" | "path" | "profile" | "toError" | "toStreamError"> {
  readonly body: z.ZodType<Body>;
  readonly reading: RequestReading;
  readonly form: AnswerForm;
  readonly names: OwnNames;
  /** The provider whose models its bare names are. Undefined: names are the catalog's. */
  readonly namespace: ModelNamespace | undefined;
  /** What only the API's own providers can be told of a request. */
  further(body: Body, input: SurfaceInput): JsonObject;
  /** Fields of an answer about the tier of service. `used` is the provider's word, empty when it gives none. */
  tierFields(body: Body, used: string): object;
  /** Further fields of an answer, from the request. */
  echoed(body: Body): object;
}

/** Makes the surface of a dialect. */
export function createOpenAiSurface<Body extends OpenAiBody>(dialect: OpenAiDialect<Body>): ChatSurface {
  const { name, path, profile, form, namespace } = dialect;
  return {
    name,
    path,
    profile,
    endsWithDone: true,
    translate(value, input) {
      const body = parseRequest(dialect.body, value);
      const model = namespace ? nameInNamespace(body.model, namespace, input.catalog) : body.model;
      const read = readRequest(body, model, dialect.reading, dialect.further(body, input));
      const asked: Asked = {
        includeUsage: read.includeUsage,
        continuousUsage: read.continuousUsage,
        choices: body.n ?? 1,
        mergeReasoningLogprobs: body.reasoning_format === "text_parsed",
        tierFields: (used) => dialect.tierFields(body, used),
        echoed: dialect.echoed(body),
      };
      return {
        chat: read.chat,
        streamed: body.stream ?? false,
        toAnswer: (completion) => toAnswer(completion, form, asked),
        createStream: () => createChunks(form, asked),
        nameField: createNamer(read.messages, dialect.names),
      };
    },
    toError: (error, requestId) => dialect.toError(error, requestId),
    toStreamError: (error, requestId) => dialect.toStreamError(error, requestId),
  };
}
