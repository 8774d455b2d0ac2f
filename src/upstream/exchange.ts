import { GatewayError } from "../errors.ts";
import { Pace } from "../pace.ts";
import { declaresJson } from "./body-form.ts";
import { createCharsetCheck } from "./charset.ts";
import type { DecodedItem, Decoder } from "./decoder.ts";
import { beginBody, isRedirect, redirection } from "./foreign-body.ts";
import type { Upstream } from "./http.ts";
import { QuietBudget } from "./quiet-budget.ts";
import type { UpstreamResponse } from "./response.ts";
import { type AttemptContext, startCall, type UpstreamCall } from "./upstream-call.ts";

/** One request to a provider API, and the functions that translate the response to outputs, such as ChatEvents. */
export interface Exchange<Answer, Item extends DecodedItem, Output> {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** JSON text of a POST request. Undefined: a GET request. */
  readonly body: string | undefined;
  /**
   * Outputs that report an accepted request. Yielded before the first event of a stream. A complete JSON body may be an
   * error, so for a response that declares JSON they are yielded after the body.
   */
  readonly accepted: readonly Output[];
  /** Translates a response without a 2xx status: to an error, or to outputs, such as a content filter result. */
  failure(response: UpstreamResponse): Promise<GatewayError | readonly Output[]>;
  /** Creates the reader of a response with a 2xx status. */
  read(response: UpstreamResponse): AnswerReader<Answer, Item, Output>;
}

/** An adapter's reader of one response: its decoder, its state and the functions that translate items to outputs. */
interface AnswerReader<Answer, Item extends DecodedItem, Output> {
  readonly decoder: Decoder<Item>;
  /** State of the response so far. */
  readonly answer: Answer;
  /** Appends the outputs of an item to the batch. Returns true after the last item. */
  toEvents(answer: Answer, item: Item, batch: Output[]): boolean;
  /** Appends the final outputs, after the last item or the end of the body. Throws if the response is incomplete. */
  endEvents(answer: Answer, batch: Output[]): void;
}

/**
 * Sends one request and yields the outputs of its response, one batch per read. Outputs that precede an error in the
 * same read are yielded before it is thrown. In every case the connection is then reused or closed.
 *
 * Adapters do not wrap it in a generator of their own, which would take as much time per delta as the decoding.
 *
 * @param prepare creates the request; runs when the consumer requests the first batch
 */
export async function* exchange<Answer, Item extends DecodedItem, Output>(
  upstream: Upstream,
  context: AttemptContext,
  prepare: (call: UpstreamCall) => Exchange<Answer, Item, Output> | Promise<Exchange<Answer, Item, Output>>,
): AsyncGenerator<readonly Output[], void, undefined> {
  const call = startCall(context);
  const prepared = await prepare(call);
  const response = await upstream.send(prepared.path, prepared.body, prepared.headers, call);
  try {
    if (response.status >= 300) {
      if (isRedirect(response)) throw redirection(response, call);
      const meaning = await prepared.failure(response);
      if (meaning instanceof GatewayError) throw meaning;
      yield meaning;
      return;
    }
    // A complete JSON body may be an error, so `accepted` waits until the body was read.
    let isAccepted = !declaresJson(response.contentType);
    if (isAccepted) yield prepared.accepted;
    await beginBody(response, call);
    const reader = prepared.read(response);
    const { isWhole } = reader.decoder;
    const checkCharset = createCharsetCheck(response.contentType, call);
    const budget = new QuietBudget(call);
    if (!isWhole && !isAccepted) yield prepared.accepted;
    isAccepted ||= !isWhole;
    for (let isOver = false; !isOver; ) {
      const chunks = await response.read();
      checkCharset?.(chunks);
      const pace = new Pace();
      const batch: Output[] = [];
      let failure: unknown;
      try {
        isOver = readInto(batch, chunks, { response, call, budget }, reader);
      } catch (error) {
        if (batch.length > 0) response.sawOutput();
        isOver = endFiltered(error, batch, call, reader);
        if (!isOver) failure = error;
      }
      // To parse a large body took this turn of the event loop. The next steps read and encode all of it.
      if (isWhole && chunks === undefined && pace.isLong) await pace.nextTurn();
      if (batch.length > 0) yield isAccepted ? batch : [...prepared.accepted, ...batch];
      if (failure !== undefined) throw failure;
    }
    response.finish();
  } finally {
    response.close();
  }
}

/**
 * Appends the end of a response that an error of a content filter ended: with all that the provider reported before,
 * such as usage and the finish reasons of other choices. Returns false for other errors.
 */
function endFiltered<Answer, Item extends DecodedItem, Output>(
  error: unknown,
  batch: Output[],
  call: UpstreamCall,
  { answer, endEvents }: AnswerReader<Answer, Item, Output>,
): boolean {
  const { contentFilter: word, filterMetadataJson = "" } = error instanceof GatewayError ? error.facts : {};
  if (word === undefined) return false;
  call.filter = word;
  call.filterMetadataJson = filterMetadataJson;
  call.hasEnd = true;
  endEvents(answer, batch);
  return true;
}

/** One response and what is known about it. */
interface Reading {
  readonly response: UpstreamResponse;
  readonly call: UpstreamCall;
  readonly budget: QuietBudget;
}

/**
 * Appends the outputs of one read to the batch. Returns true if the response is over.
 *
 * @param chunks undefined at the end of the body
 */
function readInto<Answer, Item extends DecodedItem, Output>(
  batch: Output[],
  chunks: readonly Uint8Array[] | undefined,
  { response, call, budget }: Reading,
  { decoder, answer, toEvents, endEvents }: AnswerReader<Answer, Item, Output>,
): boolean {
  let isOver = chunks === undefined;
  let hadOutput = decoder.isWhole && chunks !== undefined;
  call.hasEnd = decoder.isWhole;
  for (const item of chunks === undefined ? decoder.end() : decoder.decode(chunks)) {
    const before = batch.length;
    call.hadHiddenOutput = false;
    const isLast = toEvents(answer, item, batch);
    if (batch.length > before || call.hadHiddenOutput) hadOutput = true;
    if (batch.length === before) budget.addItem(item.data.length, call.hadHiddenOutput);
    if (isLast) {
      isOver = true;
      call.hasEnd = true;
      break;
    }
  }
  if (hadOutput) response.sawOutput();
  if (isOver) endEvents(answer, batch);
  else if (chunks !== undefined) budget.endRead(chunks, hadOutput, decoder.ignored ?? 0);
  return isOver;
}
