import { abortable } from "../../abortable.ts";
import type { OptionalContent } from "../../chat/planning/optional-content.ts";
import { started } from "../../chat/stream/events.ts";
import type { ProviderSettings } from "../../config/provider.ts";
import { GatewayError } from "../../errors.ts";
import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import type { Model } from "../../gen/dragoman/v1/model_pb.js";
import { ReasoningFormat } from "../../gen/dragoman/v1/reasoning_pb.js";
import { callFailure } from "../../upstream/errors.ts";
import { exchange } from "../../upstream/exchange.ts";
import { Upstream } from "../../upstream/http.ts";
import type { UpstreamCall } from "../../upstream/upstream-call.ts";
import type { Adapter } from "../adapter.ts";
import { keyHeader, keyOf } from "../kit/attempt-key.ts";
import { responseFailure } from "../kit/errors.ts";
import { stringifyExact } from "../kit/exact-json.ts";
import { claudeSchemas } from "../kit/schema-rules.ts";
import { openAiToolNames } from "../kit/tool-names.ts";
import { checkSupport } from "./adaptations.ts";
import { bedrockNames } from "./contract-fields.ts";
import { countBedrockTokens } from "./count-tokens.ts";
import { createBedrockEmbeddings } from "./embeddings.ts";
import { bedrockErrors, bedrockHeaders } from "./errors.ts";
import { endEvents, startAnswer, toEvents } from "./events.ts";
import { modelRules } from "./model-rules.ts";
import { type Options, regionOf } from "./options.ts";
import { toRequest } from "./request.ts";
import type { Signer } from "./sign.ts";

const acceptedByAll: ReadonlySet<OptionalContent> = new Set(["server_tools", "citations", "provider_tools"]);
const acceptedByClaude: ReadonlySet<OptionalContent> = new Set([
  ...acceptedByAll,
  ...(["search_results", "citable", "claude_signatures"] as const),
]);

/** Creates the adapter for the Converse API. Without an API key, it signs requests with AWS credentials. */
export function createBedrockAdapter(settings: ProviderSettings<Options>): Adapter {
  const { name, dialect, keys } = settings;
  const { region, baseUrl } = resolveAddress(settings);
  const upstream = new Upstream({ ...settings, baseUrl }, bedrockHeaders);
  const toBody = (request: ChatRequest, model: Model) => stringifyExact(toRequest(request, model, name));
  // Imported on first use, because Amazon's libraries need 15 MB of memory and 80 ms to load.
  const loadFrames = once(() => import("./frames.ts"));
  const loadSigner = once(
    async (): Promise<Signer> => (await import("./sign.ts")).createSigner(region, undefined, settings.proxy),
  );

  async function authorize(path: string, body: string, call: UpstreamCall): Promise<Readonly<Record<string, string>>> {
    if (keyOf(call, settings) !== undefined) return keyHeader("authorization", call, settings);
    try {
      const sign = await abortable(loadSigner(), call.signal);
      return await abortable(sign(new URL(baseUrl + path), body), call.signal);
    } catch (cause) {
      if (cause instanceof GatewayError) throw cause;
      const message = "Dragoman found no AWS credentials for Bedrock: the operator must set them";
      throw callFailure("PROVIDER_CREDENTIALS_REJECTED", message, call, { cause });
    }
  }

  return {
    name,
    dialect,
    baseUrl,
    keys,
    accepts: (model) => (modelRules(model).claude ? acceptedByClaude : acceptedByAll),
    maxChoices: 1,
    // Amazon documents the same rule for ToolSpecification.name.
    toolNames: openAiToolNames,
    rejectedText: () => "blank",
    stopRule: (model) => modelRules(model).stopRule,
    callIds: (model) => modelRules(model).callIds,
    // Bedrock validates the schemas itself, with the same rules for every model.
    schemas: () => claudeSchemas,
    stream: (request, model, context) =>
      exchange(upstream, context, async (call) => {
        const { FrameDecoder } = await abortable(loadFrames(), call.signal);
        const body = toBody(request, model);
        const path = `/model/${encodeURIComponent(model.providerModel)}/converse-stream`;
        return {
          path,
          headers: { accept: "application/vnd.amazon.eventstream", ...(await authorize(path, body, call)) },
          body,
          accepted: [started()],
          failure: (response) => responseFailure(response, call, bedrockErrors),
          read: ({ form }) => ({
            decoder: new FrameDecoder(call, form),
            answer: startAnswer(call, request.reasoning?.format === ReasoningFormat.HIDDEN),
            toEvents,
            endEvents,
          }),
        };
      }),
    checkSupport,
    contractNames: bedrockNames,
    describe: (request, model) => toRequest(request, model, name),
    // Bedrock counts only the tokens of Claude.
    countTokens: (request, model) =>
      modelRules(model).claude
        ? (context) => countBedrockTokens({ upstream, provider: name, authorize }, request, model, context)
        : undefined,
    embeddings: createBedrockEmbeddings(upstream, name, authorize),
    close: () => upstream.close(),
  };
}

/** Returns the region, and the base URL with the region inserted. */
function resolveAddress({ baseUrl, options, variables }: ProviderSettings<Options>): {
  readonly region: string;
  readonly baseUrl: string;
} {
  const region = options.region ?? regionOf(variables) ?? "";
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
