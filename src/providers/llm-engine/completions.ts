import { create } from "@bufbuild/protobuf";
import { type ChatEvent, started } from "../../chat/events.ts";
import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import type { Model } from "../../gen/dragoman/v1/model_pb.js";
import { GenerationParametersSchema } from "../../gen/dragoman/v1/parameters_pb.js";
import type { Adapter, AdapterContext } from "../adapter.ts";
import type { ProviderSettings } from "../settings.ts";
import type { TemplateChoice } from "../templates/families.ts";
import { startCall } from "../upstream/call.ts";
import { responseFailure } from "../upstream/errors.ts";
import { stringifyExact } from "../upstream/exact-json.ts";
import { Upstream } from "../upstream/http.ts";
import { malformedAnswer, readAnswer } from "../upstream/read-answer.ts";
import { readText } from "../upstream/read-text.ts";
import type { UpstreamResponse } from "../upstream/response.ts";
import { type AnswerState, endEvents, startAnswer, toEvents } from "./events.ts";
import { limitationsOf } from "./limitations.ts";
import { Prompts } from "./prompts.ts";
import { demanded, toRequest } from "./request.ts";

/** Bytes of an answer that comes whole instead of as a stream. */
const wholeAnswerLimit = 16 * 1024 * 1024;

/** v1 of the engine: a raw prompt goes in, and text comes out. */
export function createCompletionsAdapter(
  settings: ProviderSettings,
  authorization: Readonly<Record<string, string>>,
  template: TemplateChoice | undefined,
): Adapter {
  const upstream = new Upstream(settings);
  const { name } = settings;
  const prompts = new Prompts(template);

  async function* ask(
    request: ChatRequest,
    model: Model,
    context: AdapterContext,
    streamed: boolean,
  ): AsyncGenerator<readonly ChatEvent[], void, undefined> {
    const prompt = context.prompt ?? (await prompts.render(request, model, context.signal));
    const call = startCall(context);
    const body = toRequest(request, prompt, name);
    const path = `/v1/llm/completions-${streamed ? "stream" : "sync"}?model_endpoint_name=${encodeURIComponent(model.providerModel)}`;
    const response = await upstream.post(path, stringifyExact(body), authorization, call);
    try {
      if (response.status >= 300) throw await responseFailure(response, call);
      yield [started()];
      const answer = startAnswer(call, request, body.max_new_tokens);
      yield* streamed ? readEvents(response, answer) : readWhole(response, answer);
      response.finish();
    } finally {
      response.close();
    }
  }

  return {
    name,
    maxChoices: 1,
    stream: (request, model, context) => ask(request, model, context, true),
    complete: (request, model, context) => ask(request, model, context, false),
    prompt: (request, model, signal) => prompts.render(request, model, signal),
    limitations: (request, model) => limitationsOf(request, prompts.choose(model)),
    effectiveParameters: ({ parameters = create(GenerationParametersSchema) }) => ({
      ...parameters,
      temperature: parameters.temperature ?? demanded.temperature,
      maxOutputTokens: parameters.maxOutputTokens ?? demanded.max_new_tokens,
    }),
    describe(request, model, prompt) {
      // A caller's template is not rendered here: that takes a process, and time.
      const isStock = request.chatTemplate === undefined;
      const written = prompt ?? (isStock ? prompts.renderStock(request, model) : undefined);
      return { ...toRequest(request, written ?? "", name), prompt: written };
    },
    async close() {
      prompts.close();
      await upstream.close();
    },
  };
}

function readEvents(response: UpstreamResponse, answer: AnswerState) {
  return readAnswer(response, answer.call, {
    read({ data }, batch) {
      toEvents(answer, data, batch);
      if (answer.finished) batch.push(...endEvents(answer));
      return answer.finished;
    },
    end: (batch) => batch.push(...endEvents(answer)),
  });
}

async function* readWhole(
  response: UpstreamResponse,
  answer: AnswerState,
): AsyncGenerator<readonly ChatEvent[], void, undefined> {
  const { text, whole } = await readText(response, wholeAnswerLimit);
  if (!whole) throw malformedAnswer(answer.call, "it is too long");
  const batch: ChatEvent[] = [];
  toEvents(answer, text, batch);
  answer.finished = true;
  yield [...batch, ...endEvents(answer)];
}
