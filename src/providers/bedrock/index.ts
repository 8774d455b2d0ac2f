import { missingPackages } from "../../optional-packages.ts";
import type { ProviderDefinition } from "../definition.ts";
import { lateModule } from "../late-module.ts";
import { bedrockModels } from "./models.ts";
import { type Options, optionsSchema, regionOf } from "./options.ts";

const adapter = lateModule(() => import("./adapter.ts"));

/** Optional packages that frames.ts and sign.ts load. */
const packagesToRead = ["@smithy/eventstream-codec", "@smithy/util-utf8"];
const packagesToSign = ["@aws-sdk/credential-provider-node", "@smithy/signature-v4"];

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
  load: adapter.load,
  create: (settings) => adapter.loaded.createBedrockAdapter(settings),
};
