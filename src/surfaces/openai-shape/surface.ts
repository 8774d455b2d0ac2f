import type { JsonObject } from "@bufbuild/protobuf";
import type { z } from "zod";
import type { ExtraFields } from "../../chat/planning/extra-fields.ts";
import type { Catalog } from "../../models/catalog.ts";
import { parseRequest } from "../kit/parse-request.ts";
import type { PropertyHints } from "../kit/property-hints.ts";
import type { ChatSurface, SurfaceRequest } from "../kit/surface.ts";
import type { OpenAiBody } from "./body.ts";
import { reasoningDetailsDialect } from "./messages.ts";
import { createNamer, inCustomTools, type OwnNames } from "./names.ts";
import { type ModelNamespace, nameInNamespace } from "./namespace.ts";
import { type RequestOptions, readRequest } from "./request.ts";
import { type ResponseContext, type ResponseOptions, toResponse } from "./response.ts";
import { createChunks } from "./stream.ts";

/** Definition of an API in the shape of OpenAI's Chat Completions. */
interface OpenAiSurfaceDefinition<Body extends OpenAiBody>
  extends Pick<ChatSurface, "name" | "path" | "profile" | "toError" | "toStreamError"> {
  readonly body: z.ZodType<Body>;
  readonly requestOptions: RequestOptions;
  readonly responseOptions: ResponseOptions;
  readonly names: OwnNames;
  /** Models that this API names without a provider prefix. Undefined: names are those of the model catalog. */
  readonly namespace: ModelNamespace | undefined;
  /** Returns the provider options to send to `requestOptions.providers`. */
  extraOptions(body: Body, request: SurfaceRequest): JsonObject;
  /**
   * Returns the fields of the body that ChatRequest lacks, for the model's provider, whichever it is. Undefined: the
   * API has none.
   */
  readonly extraFields?: (body: Body, request: SurfaceRequest) => Omit<ExtraFields, "turnsReasoningOn">;
  /** Returns the service tier fields of a response. `used` is the tier that the provider reports; empty if none. */
  tierFields(body: Body, used: string): object;
  /** Returns the request fields that the response repeats. */
  echoFields(body: Body): object;
}

/** What to write instead of properties of tools in the forms of Anthropic's Messages and OpenAI's Responses. */
const toolHints: PropertyHints = {
  "tools.*.name": "write function.name",
  "tools.*.description": "write function.description",
  "tools.*.parameters": "write function.parameters",
  "tools.*.strict": "write function.strict",
  "tools.*.input_schema": "write function.parameters",
  "tools.*.function.input_schema": "write parameters",
};

/** Makes the chat API of a definition. */
export function createOpenAiSurface<Body extends OpenAiBody>(definition: OpenAiSurfaceDefinition<Body>): ChatSurface {
  const { name, path, profile, responseOptions, namespace, toError, toStreamError } = definition;
  return {
    name,
    path,
    profile,
    endsWithDone: true,
    showsSources: responseOptions.annotations ?? false,
    showsMedia: responseOptions.media ?? false,
    translate(value, request) {
      const body = parseRequest(definition.body, value, toolHints);
      const model = namespace ? nameInNamespace(body.model, namespace, request.catalog) : body.model;
      const requestOptions = forCatalog(definition.requestOptions, model, request.catalog);
      const read = readRequest(body, model, requestOptions, definition.extraOptions(body, request));
      const context: ResponseContext = {
        includeUsage: read.includeUsage,
        continuousUsage: read.continuousUsage,
        choices: body.n ?? 1,
        customTools: new Set((body.tools ?? []).flatMap((tool) => (tool.isCustom ? [tool.function.name] : []))),
        mergeReasoningLogprobs: body.reasoning_format === "text_parsed",
        tierFields: (used) => definition.tierFields(body, used),
        echoFields: definition.echoFields(body),
      };
      const extras = definition.extraFields?.(body, request);
      const { turnsReasoningOn } = read;
      return {
        chat: read.chat,
        ...(extras && { extras: { ...extras, turnsReasoningOn } }),
        streamed: body.stream ?? false,
        toResponse: (completion) => toResponse(completion, responseOptions, context),
        createStream: () => createChunks(responseOptions, context),
        nameField: inCustomTools(createNamer(read.messages, definition.names, read.names), body),
      };
    },
    toError,
    toStreamError,
  };
}

/** Adds the providers that the configuration adds with an API of the definition. */
function forCatalog(options: RequestOptions, model: string, catalog: Catalog): RequestOptions {
  const provider = catalog.providerOf(model) ?? "";
  return {
    ...options,
    providers: options.providers.flatMap((name) => catalog.providersOf(name)),
    ...(catalog.providersOf(reasoningDetailsDialect).includes(provider) && { detailsProvider: provider }),
  };
}
