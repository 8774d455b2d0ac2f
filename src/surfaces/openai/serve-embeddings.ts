import { abortable } from "../../abortable.ts";
import { admitCall } from "../../calls/admit-call.ts";
import { answerHeaders, routingHeaders } from "../../calls/answer-headers.ts";
import type { Call } from "../../calls/call.ts";
import { embed } from "../../calls/embeddings/embed.ts";
import { type FieldViolation, type GatewayError, invalidRequest, toGatewayError } from "../../errors.ts";
import { formatDotted } from "../../field-path.ts";
import { Pace } from "../../pace.ts";
import { beginCall } from "../kit/begin-call.ts";
import { discardRest, parseBody, readBody } from "../kit/body.ts";
import { requireJson } from "../kit/require-json.ts";
import type { Route, RouteContext } from "../kit/route.ts";
import { sendError, setWarnings } from "../kit/send.ts";
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

async function serveCall(call: Call, { request, response, maxRequestBytes }: RouteContext): Promise<void> {
  let translated: TranslatedEmbedding | undefined;
  try {
    await admitCall(call);
    requireJson(call.source);
    const body = await abortable(
      readBody(request, maxRequestBytes, (bytes) => call.holdRequest(bytes)),
      call.signal,
    );
    call.requestComplete();
    const pace = new Pace();
    const parsed = parseBody(body, call.maxValues);
    if (pace.isLong) await pace.nextTurn();
    call.signal.throwIfAborted();
    translated = translateEmbedding(parsed, call.snapshot.rejectsOptions ?? false);
    const { encoding, bodyPath, ...asked } = translated;
    const answer = await embed(call, { ...asked, nameField: (path) => formatDotted(bodyPath(path)) });
    call.signal.throwIfAborted();
    call.settle();
    await call.recorded;
    setHeaders(call, response);
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
      sendError(response, error, toOpenAiError(inNamesOfBody(error, translated), call.requestId));
    }
  }
}

function setHeaders(call: Call, response: RouteContext["response"]): void {
  for (const [name, value] of [...answerHeaders(call), ...routingHeaders(call)]) response.setHeader(name, value);
}

/** Names the fields of an error as the body does. */
function inNamesOfBody(error: GatewayError, translated: TranslatedEmbedding | undefined): GatewayError {
  const { reason, message, facts } = error;
  if (facts.fields === undefined || translated === undefined) return error;
  const fields = facts.fields.map(
    (violation): FieldViolation =>
      violation.root === "body"
        ? violation
        : { ...violation, root: "body", field: translated.bodyPath(violation.field) },
  );
  return error.with({ fields }, reason === "INVALID_REQUEST" ? invalidRequest(fields).message : message);
}
