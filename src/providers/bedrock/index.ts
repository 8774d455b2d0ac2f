import type { z } from "zod";
import { abortable } from "../../abortable.ts";
import type { OptionalContent } from "../../chat/planning/optional-content.ts";
import { started } from "../../chat/stream/events.ts";
import type { Environment } from "../../config/environment.ts";
import type { ProviderSettings } from "../../config/provider.ts";
import { pattern, section } from "../../config/rules.ts";
import { GatewayError } from "../../errors.ts";
import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import type { Model } from "../../gen/dragoman/v1/model_pb.js";
import { ReasoningFormat } from "../../gen/dragoman/v1/reasoning_pb.js";
import { missingPackages } from "../../optional-packages.ts";
import { callFailure } from "../../upstream/errors.ts";
import { exchange } from "../../upstream/exchange.ts";
import { Upstream } from "../../upstream/http.ts";
import type { UpstreamCall } from "../../upstream/upstream-call.ts";
import type { Adapter } from "../adapter.ts";
import type { ProviderDefinition } from "../definition.ts";
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
import { bedrockModels } from "./models.ts";
import { toRequest } from "./request.ts";
import type { Signer } from "./sign.ts";

/** Optional packages that frames.ts and sign.ts load. */
const packagesToRead = ["@smithy/eventstream-codec", "@smithy/util-utf8"];
const packagesToSign = ["@aws-sdk/credential-provider-node", "@smithy/signature-v4"];

const optionsSchema = section({
  /** AWS region of the endpoint. Default: `AWS_REGION`, else `AWS_DEFAULT_REGION`. */
  region: pattern(/^[a-z0-9-]+$/, "write a region such as us-east-1").optional(),
});

type Options = z.output<typeof optionsSchema>;

/**
 * Amazon Bedrock. Configured by a region and either a Bedrock API key or AWS credentials. `BEDROCK_BASE_URL` replaces
 * the base URL of the region.
 */
export const provider: ProviderDefinition<Options> = {
  name: "bedrock",
  modelsDevName: "amazon-bedrock",
  variables: {
    apiKey: "AWS_BEARER_TOKEN_BEDROCK",
    baseUrl: "BEDROCK_BASE_URL",
    others: ["AWS_REGION", "AWS_DEFAULT_REGION"],
  },
  defaultBaseUrl: "https://bedrock-runtime.{region}.amazonaws.com",
  onBy: "detect",
  detect(environment) {
    const { AWS_BEARER_TOKEN_BEDROCK: token, AWS_ACCESS_KEY_ID: accessKey, BEDROCK_BASE_URL: baseUrl } = environment;
    if (!token && !accessKey) return "set AWS_BEARER_TOKEN_BEDROCK or AWS_ACCESS_KEY_ID to turn it on";
    // A signature contains the region. An API key does not, so with a custom base URL it needs no region.
    return regionOf(environment) || (token && baseUrl) ? undefined : "set AWS_REGION to turn it on";
  },
  optionsSchema,
  check({ name, dialect, apiKey, baseUrl, options, variables }) {
    const missing = missingPackages([...packagesToRead, ...(apiKey === undefined ? packagesToSign : [])]);
    if (missing !== undefined) return [{ path: "enabled", ...missing, fix: `${missing.fix}, or write false` }];
    const region = options.region ?? regionOf(variables);
    // An API key with a custom base URL needs no region.
    if (region !== undefined || (apiKey !== undefined && !baseUrl.includes("{region}"))) return [];
    // An added provider reads no variables.
    const fix = name === dialect ? "set it, or the variable AWS_REGION" : "set it";
    return [{ path: "options.region", problem: "is missing", fix }];
  },
  models: () => bedrockModels,
  create: createBedrockAdapter,
};

function regionOf({ AWS_REGION, AWS_DEFAULT_REGION }: Environment): string | undefined {
  return AWS_REGION || AWS_DEFAULT_REGION || undefined;
}

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
