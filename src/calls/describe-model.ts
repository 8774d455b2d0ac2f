import { create } from "@bufbuild/protobuf";
import { timestampMs } from "@bufbuild/protobuf/wkt";
import { ownWords } from "../chat/planning/caller-words.ts";
import type { DeclaredParameter } from "../chat/planning/deployment-parameters.ts";
import type { Draft } from "../chat/planning/draft.ts";
import { type Profile, profileViolations } from "../chat/planning/profile.ts";
import { profileTexts } from "../chat/planning/profile-texts.ts";
import { GatewayError } from "../errors.ts";
import type { ChatRequest } from "../gen/dragoman/v1/chat_request_pb.js";
import { EmbeddingTask, type EmbedRequest, EmbedRequestSchema } from "../gen/dragoman/v1/embedding_service_pb.js";
import { Modality } from "../gen/dragoman/v1/modality_pb.js";
import {
  type DeploymentParameter,
  DeploymentParameterSchema,
  DeploymentParameterType,
  type Model,
  ModelState,
} from "../gen/dragoman/v1/model_pb.js";
import type { Profile as ProfileValue } from "../gen/dragoman/v1/profile_pb.js";
import type { ConfiguredModel } from "../models/configured-model.ts";
import { isEmbeddingModel } from "../models/model-row.ts";
import { Pace } from "../pace.ts";
import { listedPrices } from "../prices/listed-prices.ts";
import { type ProfileName, profiles } from "../profiles/profiles.ts";
import { profileValues, selectProfile } from "../profiles/select-profile.ts";
import type { Adapter } from "../providers/adapter.ts";
import { type Target, targetOf } from "../routing/target.ts";
import type { TokenCounter } from "../tokens/token-count.ts";
import type { Call } from "./call.ts";
import { describeRoute } from "./describe-route.ts";
import { effortProbes, parameterProbes, temperatureProbe } from "./parameter-probes.ts";
import { draftFor, servedBy } from "./plan.ts";

type Descriptions = Partial<Record<ProfileName, Promise<Model>>>;

/** Descriptions by adapter and catalog entry. Both belong to a snapshot, so they are collected together with it. */
const known = new WeakMap<Adapter, WeakMap<Model, Descriptions>>();

/**
 * Describes models for the profile that applies to a call: the requested one, else as profile.proto documents. Plans a
 * request for each parameter, so that the description agrees with PlanChat. The work of the first description runs in
 * several turns of the event loop.
 */
export async function describeModels(
  models: readonly Model[],
  requested: ProfileValue,
  { snapshot, signal }: Pick<Call, "snapshot" | "signal">,
): Promise<readonly Model[]> {
  const { adapters, catalog, prices, profile: configured } = snapshot;
  const pace = new Pace();
  const describeOne = async (model: Model, route?: ProfileName): Promise<Model> => {
    const { name } = selectProfile({ request: requested, api: undefined, model: model.profile, route, configured });
    const target = targetOf(model, adapters);
    const ofModel = descriptionsOf(target);
    ofModel[name] ??= isEmbeddingModel(model)
      ? Promise.resolve(describeEmbeddingModel(target, name))
      : describe(target, name, catalog.deploymentOf(model.id), pace);
    const description = await ofModel[name];
    signal.throwIfAborted();
    return description;
  };
  const described: Model[] = [];
  for (const model of models) {
    const now = new Date();
    const state = stateOf(model, now.getTime());
    const targets = catalog.targetsOf(model);
    const priced = async (target: Model, profile?: ProfileName): Promise<Model> => {
      const listed = listedPrices(prices?.pricesOf(target, now));
      return { ...(await describeOne(target, profile)), prices: listed };
    };
    if (targets === undefined) {
      described.push({ ...(await priced(model)), state });
      continue;
    }
    const profile = catalog.routeOf(model.id)?.profile;
    const ofTargets: Model[] = [];
    for (const target of targets) ofTargets.push(await priced(target, profile));
    described.push({ ...describeRoute(model, ofTargets), state });
  }
  return described;
}

function descriptionsOf({ adapter, model }: Target): Descriptions {
  const ofAdapter = known.get(adapter) ?? new WeakMap<Model, Descriptions>();
  known.set(adapter, ofAdapter);
  const ofModel = ofAdapter.get(model) ?? {};
  ofAdapter.set(model, ofModel);
  return ofModel;
}

/** Describes an embedding model: of its parameters, only those of EmbedRequest matter. */
function describeEmbeddingModel({ model, adapter }: Target, name: ProfileName): Model {
  const probe = (fields: Partial<EmbedRequest>) => {
    const found = adapter.embeddings?.checkSupport({ ...create(EmbedRequestSchema), ...fields }, model);
    return found?.every(({ kind }) => kind === "ADJUSTED") ?? false;
  };
  const supportedParameters = [
    ...(probe({ dimensions: model.embeddingDimensions || 1 }) ? ["dimensions"] : []),
    ...(probe({ task: EmbeddingTask.QUERY }) ? ["task"] : []),
    ...(probe({ user: "probe" }) ? ["user"] : []),
  ];
  const { maxTemperature: _, ...rest } = model;
  return {
    ...rest,
    profile: profileValues[name],
    inputModalities: [Modality.TEXT],
    outputModalities: [],
    reasoningEfforts: [],
    supportedParameters,
  };
}

async function describe(
  target: Target,
  name: ProfileName,
  deployment: ConfiguredModel | undefined,
  pace: Pace,
): Promise<Model> {
  const { model } = target;
  const profile = profiles[name];
  const tryRequest = async (request: ChatRequest) => {
    if (pace.isLong) await pace.nextTurn();
    return supportedDraft(request, target, profile, deployment);
  };
  const supported: string[] = [];
  for (const { path, requests } of parameterProbes) {
    for (const request of requests) {
      if ((await tryRequest(request)) === undefined) continue;
      supported.push(path);
      break;
    }
  }
  const reasoningEfforts = [];
  for (const { effort, request } of effortProbes) {
    if ((await tryRequest(request)) !== undefined) reasoningEfforts.push(effort);
  }
  const { maxTemperature: _, ...rest } = model;
  const maxTemperature = supported.includes("parameters.temperature")
    ? await highestTemperature(model, profile, tryRequest)
    : undefined;
  return {
    ...rest,
    ...(maxTemperature !== undefined && { maxTemperature }),
    ...modalitiesOf(model),
    profile: profileValues[name],
    reasoningEfforts,
    supportedParameters: supported,
    deploymentParameters: (deployment?.parameters ?? []).map(toDeploymentParameter),
  };
}

/** Returns whether the provider has shut the model down. */
function stateOf({ deprecationTime }: Model, now: number): ModelState {
  const isShutDown = deprecationTime !== undefined && timestampMs(deprecationTime) <= now;
  return isShutDown ? ModelState.UNAVAILABLE : ModelState.AVAILABLE;
}

/** Count of a prompt of one word, which fits into every context window. */
const few = { tokens: 16, exact: false, low: 1, high: 32 };
const counter: TokenCounter = { estimate: () => few, count: async () => few };

/** Plans a request. Undefined if the model does not support it: Dragoman would reject it, or drop a field. */
async function supportedDraft(
  request: ChatRequest,
  target: Target,
  profile: Profile,
  deployment: ConfiguredModel | undefined,
): Promise<Draft | undefined> {
  const texts = profileTexts(profile.name, "default", ownWords);
  const rules = { streamed: false, maxValues: 1000, texts, words: ownWords };
  if (profileViolations(request, profile, rules).length > 0) return undefined;
  try {
    const served = servedBy(target, request, undefined);
    const draft = await draftFor({ chat: request, profile, profileTexts: texts, deployment }, served, {
      words: ownWords,
      streamed: false,
      account: "",
      counter,
      renderPrompt: undefined,
    });
    return draft.warnings.some(({ reason }) => reason === "UNSUPPORTED_PARAMETER") ? undefined : draft;
  } catch (error) {
    if (error instanceof GatewayError && error.status === "INVALID_ARGUMENT") return undefined;
    throw error;
  }
}

/** Maximum of `GenerationParameters.temperature`. */
const mostTemperature = 2;

/** Returns the highest temperature that the model, the profile and the provider all support. Undefined if unknown. */
async function highestTemperature(
  { maxTemperature }: Model,
  { ranges }: Profile,
  tryRequest: (request: ChatRequest) => Promise<Draft | undefined>,
): Promise<number | undefined> {
  const range = ranges.find(({ parameter }) => parameter === "temperature");
  const asked = range?.max ?? mostTemperature;
  const sent = (await tryRequest(temperatureProbe(asked)))?.request.parameters?.temperature;
  if (sent === undefined) return undefined;
  return sent < asked ? sent : (range?.max ?? maxTemperature);
}

function modalitiesOf({ capabilities }: Model): Pick<Model, "inputModalities" | "outputModalities"> {
  if (capabilities === undefined) return { inputModalities: [], outputModalities: [] };
  const inputModalities = [
    Modality.TEXT,
    ...(capabilities.audioInput ? [Modality.AUDIO] : []),
    ...(capabilities.imageInput ? [Modality.IMAGE] : []),
    ...(capabilities.documentInput ? [Modality.DOCUMENT] : []),
  ];
  return { inputModalities, outputModalities: [Modality.TEXT] };
}

const parameterTypes = {
  string: DeploymentParameterType.STRING,
  integer: DeploymentParameterType.INTEGER,
  number: DeploymentParameterType.NUMBER,
  boolean: DeploymentParameterType.BOOLEAN,
} as const satisfies Record<DeclaredParameter["type"], DeploymentParameterType>;

function toDeploymentParameter({ type, ...rest }: DeclaredParameter): DeploymentParameter {
  return create(DeploymentParameterSchema, { ...rest, type: parameterTypes[type] });
}
