import { admitCall } from "../../calls/admit-call.ts";
import { routingHeaders } from "../../calls/answer-headers.ts";
import type { Call } from "../../calls/call.ts";
import { embed } from "../../calls/embeddings/embed.ts";
import { toGatewayError } from "../../errors.ts";
import { formatDotted } from "../../field-path.ts";
import { beginCall } from "../kit/begin-call.ts";
import { discardRest } from "../kit/body.ts";
import { inNamesOf } from "../kit/error-message.ts";
import { readRequest } from "../kit/read-request.ts";
import type { Route, RouteContext } from "../kit/route.ts";
import { sendError, setWarnings } from "../kit/send.ts";
import { setAnswerHeaders } from "../kit/serve-surface.ts";
import { toOpenAiError } from "../openai-shape/errors.ts";
import { type TranslatedEmbedding, translateEmbedding } from "./embeddings.ts";
import { writeEmbeddings } from "./write-embeddings.ts";

/** OpenAI's API for embeddings. https://platform.openai.com/docs/api-reference/embeddings */
export const embeddingsRoute: Route = {
  name: "openai-embeddings",
  method: "POST",
  path: "/v1/embeddings",
  handle: serveEmbeddings,
};

const method = { name: embeddingsRoute.name, mayCost: true, stream: false, operation: "embeddings" } as const;

async function serveEmbeddings(context: RouteContext): Promise<void> {
  const { request, maxRequestBytes } = context;
  const call = beginCall(context, method, toOpenAiError);
  if (call !== undefined) await serveCall(call, context);
  if (!request.complete) discardRest(request, maxRequestBytes);
}

async function serveCall(call: Call, context: RouteContext): Promise<void> {
  const { response } = context;
  let translated: TranslatedEmbedding | undefined;
  try {
    await admitCall(call);
    const { value, request } = await readRequest(call, context);
    translated = translateEmbedding(value, request.rejectsOptions ?? false);
    const { encoding, bodyPath, ...asked } = translated;
    const answer = await embed(call, { ...asked, nameField: (path) => formatDotted(bodyPath(path)) });
    call.signal.throwIfAborted();
    call.settle();
    await call.recorded;
    setAnswerHeaders(response, call);
    setWarnings(response, answer.warnings);
    await writeEmbeddings(response, answer, encoding, call.signal);
  } catch (thrown) {
    const error = toGatewayError(call.signal.aborted ? call.signal.reason : thrown);
    call.settle(error);
    await call.recorded;
    // The client has gone while it read the response.
    if (response.headersSent) response.destroy();
    else {
      for (const [name, value] of routingHeaders(call, true)) response.setHeader(name, value);
      sendError(response, error, toOpenAiError(inNamesOf(translated?.bodyPath, error), call.requestId));
    }
  }
}
