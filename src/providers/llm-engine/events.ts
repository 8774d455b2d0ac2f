import { create } from "@bufbuild/protobuf";
import { type ChatEvent, completed, finished, textDelta } from "../../chat/stream/events.ts";
import { FinishReason } from "../../gen/dragoman/v1/completion_pb.js";
import { type LogProbs, LogProbsSchema } from "../../gen/dragoman/v1/logprobs_pb.js";
import { WarningSchema } from "../../gen/dragoman/v1/warning_pb.js";
import { cutAnswer } from "../../upstream/errors.ts";
import type { ServerSentEvent } from "../../upstream/sse.ts";
import type { UpstreamCall } from "../../upstream/upstream-call.ts";
import { choiceEnd } from "../kit/choice-end.ts";
import { parseAnswer, parseJson } from "../kit/parse-answer.ts";
import { members, Unread } from "../kit/unread.ts";
import { createUsageReader, type ReportedUsage } from "../kit/usage-reader.ts";
import { llmEngineErrors } from "./errors.ts";
import { answerSchema, type WireTokenLogProb } from "./wire.ts";

/** Counts of the response in progress. LLM Engine often omits that of the prompt. */
const completionUsage = createUsageReader({
  counts: { inputTokens: ["num_prompt_tokens"], outputTokens: ["num_completion_tokens"] },
});

/** Response in progress. */
interface AnswerState {
  readonly call: UpstreamCall;
  /** `max_new_tokens` in the request body. */
  readonly maxNewTokens: number;
  /** Whether the response is one JSON value, which has no `finished` field. */
  readonly isWhole: boolean;
  finished: boolean;
  usage: ReportedUsage | undefined;
  readonly unread: Unread;
}

const answerMembers = members("the response", {
  request_id: true,
  output: {
    ...{ text: true, finished: true, num_prompt_tokens: true, num_completion_tokens: true },
    ...{ token: true, tokens: true },
  },
});

export function startAnswer(call: UpstreamCall, maxNewTokens: number, isWhole: boolean): AnswerState {
  return { call, maxNewTokens, isWhole, finished: false, usage: undefined, unread: new Unread() };
}

/** Converts one SSE event or a complete response, and appends the results to `batch`. Returns true at the end. */
export function toEvents(answer: AnswerState, { data }: ServerSentEvent, batch: ChatEvent[]): boolean {
  const { call } = answer;
  const value = parseJson(data, call);
  const { request_id: id, output } = parseAnswer(value, answerSchema, call, llmEngineErrors);
  answer.unread.addMembers(value, answerMembers);
  if (id) call.attempt.providerResponseId = id;
  answer.usage = completionUsage.add(answer.usage, output);
  const logprobs = toLogProbs(output.token ? [output.token] : (output.tokens ?? []));
  if (output.text !== "" || logprobs !== undefined) batch.push(textDelta(0, 0, output.text, logprobs));
  answer.finished = answer.isWhole || output.finished === true;
  return answer.finished;
}

/** Appends the final events of a response to `batch`. Throws if the response was not finished. */
export function endEvents({ call, maxNewTokens, ...answer }: AnswerState, batch: ChatEvent[]): void {
  const usage = completionUsage.toUsage(answer.usage);
  if (call.filter !== "" && !answer.finished) {
    const end = choiceEnd(finished(0, FinishReason.UNSPECIFIED, ""), call);
    batch.push(end, completed({ ...(usage && { usage }) }));
    return;
  }
  if (!answer.finished) throw cutAnswer(call);
  const isFull = (answer.usage?.counts.outputTokens ?? 0) >= maxNewTokens;
  const reason = isFull ? FinishReason.LENGTH : FinishReason.STOP;
  const warning = create(WarningSchema, {
    reason: "INFERRED",
    message: "LLM Engine reports no finish reason: Dragoman inferred it from the number of output tokens",
  });
  batch.push(
    finished(0, reason, ""),
    completed({ warnings: [warning, ...answer.unread.warnings], ...(usage && { usage }) }),
  );
}

function toLogProbs(tokens: readonly WireTokenLogProb[]): LogProbs | undefined {
  if (tokens.length === 0) return undefined;
  return create(LogProbsSchema, { tokens: tokens.map(({ token, log_prob: logprob }) => ({ token, logprob })) });
}
