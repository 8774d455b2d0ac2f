import { parseRequest } from "../kit/parse-request.ts";
import type { ChatSurface, SurfaceRequest, Translated } from "../kit/surface.ts";
import { countedBody, type MessagesBody, messagesBody } from "./body.ts";
import { claudeProviders } from "./claude.ts";
import { requestIdHeader, toMessagesError, toMessagesStreamError } from "./errors.ts";
import { readExtraFields } from "./extra-fields.ts";
import { createNamer } from "./names.ts";
import { readRequest } from "./read-request.ts";
import { createMessageEvents, toMessage } from "./response.ts";
import { Unread } from "./unread.ts";

/** Anthropic's Messages API, for every model of the catalog. https://platform.claude.com/docs/en/api/messages */
export const messagesSurface: ChatSurface = {
  name: "messages",
  path: "/v1/messages",
  profile: undefined,
  endsWithDone: false,
  ping: { event: "ping", data: { type: "ping" } },
  requestIdHeader,
  showsSources: true,
  showsCitations: true,
  shows: ({ case: kind }) => kind === "serverToolCall" || kind === "serverToolResult",
  translate(value, request) {
    const body = parseRequest(messagesBody, value);
    const isClaude = claudeProviders(request.catalog);
    return {
      ...translateRequest(body, request),
      streamed: body.stream ?? false,
      toResponse: (completion) => toMessage(completion, isClaude),
      createStream: () => createMessageEvents(isClaude),
    };
  },
  toError: toMessagesError,
  toStreamError: toMessagesStreamError,
};

/** Translates the body of a request that counts tokens. */
export function translateCounted(value: unknown, request: SurfaceRequest) {
  return translateRequest(parseRequest(countedBody, value), request);
}

function translateRequest(
  body: MessagesBody,
  { headers, catalog, rejectsOptions = false }: SurfaceRequest,
): Pick<Translated, "chat" | "extras" | "nameField"> {
  const unread = new Unread();
  const betas = namesIn(headers.get("anthropic-beta") ?? "");
  const { chat, messages, toolFields, turnsReasoningOn, names } = readRequest(
    body,
    { catalog, betas, rejectsOptions },
    unread,
  );
  return {
    chat,
    extras: {
      ...readExtraFields(body, rejectsOptions),
      leftOut: unread.fields,
      toolFields,
      turnsReasoningOn,
    },
    nameField: createNamer(messages, names),
  };
}

function namesIn(header: string): readonly string[] {
  return header
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");
}
