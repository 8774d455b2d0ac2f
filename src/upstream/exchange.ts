import { GatewayError } from "../errors.ts";
import type { Decoder } from "./decoder.ts";
import type { Upstream } from "./http.ts";
import type { UpstreamResponse } from "./response.ts";
import { type AttemptContext, startCall, type UpstreamCall } from "./upstream-call.ts";

/** One request in a provider's dialect, and how to read the response as outputs, such as ChatEvents. */
export interface Exchange<Answer, Item, Output> {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** JSON text. */
  readonly body: string;
  /** The outputs for an accepted request. They precede a stream at once, and a whole answer once it is read. */
  readonly accepted: readonly Output[];
  /** What a response with a status other than 2xx means: a failure, or the outputs of an answer such as a refusal. */
  failure(response: UpstreamResponse): Promise<GatewayError | readonly Output[]>;
  /** How to read a response with a status of 2xx. */
  read(response: UpstreamResponse): AnswerReader<Answer, Item, Output>;
}

/** How a dialect reads an answer: the state so far, and the functions that extend and end it. */
interface AnswerReader<Answer, Item, Output> {
  readonly decoder: Decoder<Item>;
  readonly answer: Answer;
  /** Appends what an item means to a batch. True: the answer is over. */
  toEvents(answer: Answer, item: Item, batch: Output[]): boolean;
  /** Appends the end of an answer, once it is over or its body ended. Throws when the answer is not complete. */
  endEvents(answer: Answer, batch: Output[]): void;
}

/**
 * Sends one request and yields the outputs of its response, one batch per read that has any. Outputs before a failure in
 * the same read are yielded first. The connection is given back or cut, however it ends. `prepare` runs on the first pull.
 *
 * It is the only generator of an adapter: a second one costs as much per delta as the decoding.
 */
export async function* exchange<Answer, Item, Output>(
  upstream: Upstream,
  context: AttemptContext,
  prepare: (call: UpstreamCall) => Exchange<Answer, Item, Output> | Promise<Exchange<Answer, Item, Output>>,
): AsyncGenerator<readonly Output[], void, undefined> {
  const call = startCall(context);
  const prepared = await prepare(call);
  const response = await upstream.post(prepared.path, prepared.body, prepared.headers, call);
  try {
    if (response.status >= 300) {
      const meaning = await prepared.failure(response);
      if (meaning instanceof GatewayError) throw meaning;
      yield meaning;
      return;
    }
    const reader = prepared.read(response);
    const { isWhole } = reader.decoder;
    // A whole answer may yet be an error.
    if (!isWhole) yield prepared.accepted;
    for (let isOver = false; !isOver; ) {
      const chunks = await response.read();
      const batch: Output[] = [];
      let failure: unknown;
      try {
        isOver = readInto(batch, chunks, response, reader);
      } catch (error) {
        failure = error;
      }
      if (batch.length > 0) yield isWhole ? [...prepared.accepted, ...batch] : batch;
      if (failure !== undefined) throw failure;
    }
    response.finish();
  } finally {
    response.close();
  }
}

/** Appends what one read means; undefined stands for the end of the body. True: the answer is over. */
function readInto<Answer, Item, Output>(
  batch: Output[],
  chunks: readonly Uint8Array[] | undefined,
  response: UpstreamResponse,
  { decoder, answer, toEvents, endEvents }: AnswerReader<Answer, Item, Output>,
): boolean {
  let isOver = chunks === undefined;
  if (decoder.isWhole) response.sawEvent();
  for (const item of chunks === undefined ? decoder.end() : decoder.decode(chunks)) {
    response.sawEvent();
    if (toEvents(answer, item, batch)) {
      isOver = true;
      break;
    }
  }
  if (isOver) endEvents(answer, batch);
  return isOver;
}
