import { createFold } from "../../chat/stream/fold.ts";
import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import { ChatService } from "../../gen/dragoman/v1/chat_service_pb.js";
import type { ChatCompletion } from "../../gen/dragoman/v1/completion_pb.js";
import { CommandError } from "../failures.ts";
import type { Connection } from "../remote/connection.ts";
import type { AnswerPrinter } from "./answer-printer.ts";
import type { CallTimes } from "./summary.ts";

/** A complete response. */
export interface Answer {
  readonly completion: ChatCompletion;
  readonly times: CallTimes;
}

/**
 * Calls a model, and prints the response as it comes. Rejects with the error of the call, after it has ended the printed
 * line.
 *
 * @param printer Undefined: prints nothing
 * @param signal Cancels the call
 */
export async function streamAnswer(
  { client, callOptions }: Pick<Connection, "client" | "callOptions">,
  chat: ChatRequest,
  printer: AnswerPrinter | undefined,
  signal?: AbortSignal,
): Promise<Answer> {
  const fold = createFold();
  const begin = performance.now();
  let firstMs: number | undefined;
  let isComplete = false;
  try {
    for await (const { event } of client(ChatService).streamChat({ chat }, callOptions(signal))) {
      // A later version of the service can send events that this one does not know.
      if (event.case === undefined) continue;
      fold.add(event);
      if (event.case === "delta") firstMs ??= performance.now() - begin;
      isComplete ||= event.case === "completed";
      const index = event.case === "finished" ? event.value.choiceIndex : 0;
      printer?.add(
        event,
        fold.completion.choices.find((choice) => choice.index === index),
      );
    }
  } finally {
    printer?.end();
  }
  if (!isComplete) throw new CommandError("the response is incomplete: the stream ended without `completed`; retry");
  const { completion } = fold;
  for (const choice of completion.choices) if (choice.index > 0) printer?.addChoice(choice);
  return { completion, times: { firstMs, totalMs: performance.now() - begin } };
}
