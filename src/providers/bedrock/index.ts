import { z } from "zod";
import { abortable } from "../../abortable.ts";
import type { ChatEvent } from "../../chat/stream/events.ts";
import { ConfigError } from "../../config/config-error.ts";
import type { ProviderSettings } from "../../config/provider.ts";
import { GatewayError } from "../../errors.ts";
import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import type { Model } from "../../gen/dragoman/v1/model_pb.js";
import { ReasoningFormat } from "../../gen/dragoman/v1/reasoning_pb.js";
import { callFailure, responseFailure } from "../../upstream/errors.ts";
import { exchange } from "../../upstream/exchange.ts";
import { Upstream } from "../../upstream/http.ts";
import { cutAnswer, malformedAnswer } from "../../upstream/read-answer.ts";
import type { UpstreamResponse } from "../../upstream/response.ts";
import type { UpstreamCall } from "../../upstream/upstream-call.ts";
import type { Adapter } from "../adapter.ts";
import type { ProviderDefinition } from "../definition.ts";
import { stringifyExact } from "../kit/exact-json.ts";
import { parseOptions } from "../kit/options.ts";
import { checkSupport } from "./adaptations.ts";
import { exceptionReasons, exceptionType } from "./errors.ts";
import { type AnswerState, endEvents, startAnswer, toEvents } from "./events.ts";
import type { FrameDecoder } from "./frames.ts";
import { toRequest } from "./request.ts";
import type { Signer } from "./sign.ts";

type Environment = Readonly<Record<string, string | undefined>>;

const optionsSchema = z.strictObject({
  /** The region that is asked. Default: `AWS_REGION`. */
  region: z
    .string()
    .regex(/^[a-z0-9-]+$/)
    .optional(),
});

/**
 * Amazon Bedrock. On by a key of its own, or by Amazon's credentials, and a region. `BEDROCK_BASE_URL` replaces the
 * address, which otherwise follows from the region.
 */
export const bedrockDeclaration: ProviderDefinition = {
  name: "bedrock",
  keyVariable: "AWS_BEARER_TOKEN_BEDROCK",
  baseUrlVariable: "BEDROCK_BASE_URL",
  defaultBaseUrl: "https://bedrock-runtime.{region}.amazonaws.com",
  onBy: "detect",
  detect: () => detectBedrock(),
  create: createBedrockAdapter,
};

/** Undefined when the usual variables say who asks and where, else what to do. */
export function detectBedrock(environment: Environment = process.env): string | undefined {
  const { AWS_BEARER_TOKEN_BEDROCK: token, AWS_ACCESS_KEY_ID: accessKey, BEDROCK_BASE_URL: baseUrl } = environment;
  if (!token && !accessKey) return "set AWS_BEARER_TOKEN_BEDROCK or AWS_ACCESS_KEY_ID to turn it on";
  // A signature names the region, a key does not.
  return regionOf(environment) || (token && baseUrl) ? undefined : "set AWS_REGION to turn it on";
}

function regionOf({ AWS_REGION, AWS_DEFAULT_REGION }: Environment): string | undefined {
  return AWS_REGION || AWS_DEFAULT_REGION || undefined;
}

/** The dialect of Converse. With a key it is sent; without one, requests are signed with Amazon's credentials. */
export function createBedrockAdapter(settings: ProviderSettings, environment: Environment = process.env): Adapter {
  const { name, apiKey } = settings;
  const { region, baseUrl } = resolveAddress(settings, environment);
  const upstream = new Upstream({ ...settings, baseUrl });
  const toBody = (request: ChatRequest, model: Model) => stringifyExact(toRequest(request, model, name));
  // Loaded with the first call that needs them: Amazon's libraries take 15 MB and 80 ms.
  const loadFrames = once(() => import("./frames.ts"));
  const loadSigner = once(async (): Promise<Signer> => (await import("./sign.ts")).createSigner(region));

  async function authorize(path: string, body: string, call: UpstreamCall): Promise<Readonly<Record<string, string>>> {
    if (apiKey !== undefined) return { authorization: `Bearer ${apiKey.reveal()}` };
    try {
      const sign = await abortable(loadSigner(), call.signal);
      return await abortable(sign(new URL(baseUrl + path), body), call.signal);
    } catch (cause) {
      if (cause instanceof GatewayError) throw cause;
      const message = "this service found no credentials for Amazon: its operator must set them";
      throw callFailure("PROVIDER_CREDENTIALS_REJECTED", message, call, { cause });
    }
  }

  async function* read(response: UpstreamResponse, answer: AnswerState) {
    const { FrameDecoder } = await loadFrames();
    const decoder = new FrameDecoder();
    for (let isDone = false; !isDone; ) {
      const said = toBatch(answer, decoder, await response.read());
      if (said.frames > 0) response.sawEvent();
      // What came before a failure in the same read is the caller's.
      if (said.batch.length > 0) yield said.batch;
      if (said.failure !== undefined) throw said.failure;
      isDone = said.isDone;
    }
  }

  return {
    name,
    maxChoices: 1,
    stream: (request, model, context) =>
      exchange(upstream, context, async (call) => {
        const body = toBody(request, model);
        const path = `/model/${encodeURIComponent(model.providerModel)}/converse-stream`;
        return {
          path,
          headers: { accept: "application/vnd.amazon.eventstream", ...(await authorize(path, body, call)) },
          body,
          failure(response) {
            const code = exceptionType(response.header("x-amzn-errortype") ?? "");
            return responseFailure(response, call, exceptionReasons, code);
          },
          read: (response) => read(response, startAnswer(call, request.reasoning?.format === ReasoningFormat.HIDDEN)),
        };
      }),
    checkSupport,
    describe: (request, model) => toRequest(request, model, name),
    close: () => upstream.close(),
  };
}

interface Read {
  readonly batch: readonly ChatEvent[];
  readonly frames: number;
  readonly isDone: boolean;
  readonly failure: unknown;
}

/** What one read of a stream says; undefined stands for its end. */
function toBatch(answer: AnswerState, decoder: FrameDecoder, chunks: readonly Uint8Array[] | undefined): Read {
  const batch: ChatEvent[] = [];
  const isDone = chunks === undefined;
  let frames = 0;
  try {
    for (const frame of decoder.decode(chunks ?? [])) {
      frames++;
      toEvents(answer, frame, batch);
    }
    if (isDone && decoder.isInsideFrame) throw cutAnswer(answer.call);
    if (isDone) batch.push(...endEvents(answer));
    return { batch, frames, isDone, failure: undefined };
  } catch (error) {
    const failure =
      error instanceof GatewayError ? error : malformedAnswer(answer.call, "it has a broken frame", error);
    return { batch, frames, isDone, failure };
  }
}

/** The region, and the address with the region in it. A key at an address of one's own needs no region. */
function resolveAddress(
  settings: ProviderSettings,
  environment: Environment,
): { readonly region: string; readonly baseUrl: string } {
  const { name, apiKey, baseUrl } = settings;
  const path = `providers.${name}.options.region`;
  const region = parseOptions(settings, optionsSchema).region ?? regionOf(environment) ?? "";
  if (region === "" && (apiKey === undefined || baseUrl.includes("{region}"))) {
    throw new ConfigError([{ path, problem: "is missing", fix: "set it, or the variable AWS_REGION" }]);
  }
  const host = baseUrl.replace("{region}", region);
  const isChinas = baseUrl.includes("{region}") && region.startsWith("cn-");
  return { region, baseUrl: isChinas ? `${host}.cn` : host };
}

function once<T>(load: () => Promise<T>): () => Promise<T> {
  let loaded: Promise<T> | undefined;
  return () => {
    loaded ??= load();
    return loaded;
  };
}
