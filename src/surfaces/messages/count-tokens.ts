import { countRoute } from "../kit/count-route.ts";
import { messagesSurface, translateCounted } from "./chat.ts";

/** Counts the tokens of a prompt. https://platform.claude.com/docs/en/api/messages-count-tokens */
export const countTokensRoute = countRoute({
  name: "messages-count-tokens",
  path: "/v1/messages/count_tokens",
  surface: { ...messagesSurface, translate: translateCounted },
  toResponse: (tokens) => ({ input_tokens: tokens }),
});
