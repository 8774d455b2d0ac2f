import type { z } from "zod";
import type { JsonBounds } from "../../chat/validation/json-bounds.ts";
import { type Exchange, exchange } from "../../upstream/exchange.ts";
import type { Upstream } from "../../upstream/http.ts";
import type { ServerSentEvent } from "../../upstream/sse.ts";
import type { AttemptContext, UpstreamCall } from "../../upstream/upstream-call.ts";
import { wholeDecoder } from "../../upstream/whole-body.ts";
import { type ErrorDialect, responseFailure } from "./errors.ts";
import { parseAnswer, parseJson } from "./parse-answer.ts";

/** One upstream request whose response is one JSON value, with the schema and the translation of the response. */
export interface WholeExchange<Answer, Output> {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** JSON text of a POST request. Undefined: a GET request. */
  readonly body: string | undefined;
  readonly errors: ErrorDialect;
  readonly schema: z.ZodType<Answer>;
  /** Bounds of the JSON. Default: those of chat responses. */
  readonly bounds?: JsonBounds;
  /** @param header returns a header of the response */
  toOutput(answer: Answer, call: UpstreamCall, header: (name: string) => string | undefined): Output;
  /** Called with the status of a response that is an error. Default: nothing. */
  onStatus?(status: number): void;
}

/** Sends one request and yields its translated response. */
export function exchangeWhole<Answer, Output>(
  upstream: Upstream,
  context: AttemptContext,
  prepare: (call: UpstreamCall) => Promise<WholeExchange<Answer, Output>>,
): AsyncIterable<readonly Output[]> {
  return exchange(upstream, context, async (call): Promise<Exchange<undefined, ServerSentEvent, Output>> => {
    const { path, headers, body, errors, schema, bounds, toOutput, onStatus } = await prepare(call);
    return {
      path,
      headers: { accept: "application/json", ...headers },
      body,
      accepted: [],
      failure(response) {
        onStatus?.(response.status);
        return responseFailure(response, call, errors);
      },
      read: (response) => ({
        decoder: wholeDecoder(call),
        answer: undefined,
        toEvents(_, { data }, batch) {
          const answer = parseAnswer(parseJson(data, call, undefined, bounds), schema, call, errors);
          batch.push(toOutput(answer, call, (name) => response.header(name)));
          return true;
        },
        endEvents() {},
      }),
    };
  });
}

/** Sends one request and returns its translated response. */
export async function requestWhole<Answer, Output>(
  ...exchanged: Parameters<typeof exchangeWhole<Answer, Output>>
): Promise<Output> {
  let output: { readonly value: Output } | undefined;
  // To the end, so that the connection can be used again.
  for await (const outputs of exchangeWhole(...exchanged)) for (const value of outputs) output = { value };
  if (output === undefined) throw new Error("an exchange ended without a response and without an error");
  return output.value;
}
