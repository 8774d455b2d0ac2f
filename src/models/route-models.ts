import { create } from "@bufbuild/protobuf";
import { timestampMs } from "@bufbuild/protobuf/wkt";
import type { RequiredCapability, RouteSettings } from "../config/route.ts";
import { type Model, type ModelCapabilities, ModelCapabilitiesSchema } from "../gen/dragoman/v1/model_pb.js";
import { Profile } from "../gen/dragoman/v1/profile_pb.js";
import { profileValues } from "../profiles/select-profile.ts";

/** What a catalog knows of the models that routes have as targets. */
interface TargetRules {
  /** Returns the model of a target's name, whether its provider is configured or not. Undefined if there is none. */
  readonly find: (name: string) => Model | undefined;
  /** Returns whether an account may use a model. */
  readonly visible: (model: Model, account: string) => boolean;
  /** Names of the configured providers. */
  readonly on: ReadonlySet<string>;
}

interface Route {
  readonly settings: RouteSettings;
  /** Models of the targets that have the required capabilities and a weight, in the order of the tiers. */
  readonly targets: readonly Model[];
  /** Models by the positions of their targets in `targets`. There are at most as many as owners of deployments. */
  readonly models: Map<string, Model>;
}

/** The models that describe routes. Accounts that may use different targets of a route get different models. */
export class RouteModels {
  readonly #rules: TargetRules;
  readonly #routes: ReadonlyMap<string, Route>;
  readonly #targetsOf = new WeakMap<Model, readonly Model[]>();

  constructor(routes: readonly RouteSettings[], rules: TargetRules) {
    this.#rules = rules;
    this.#routes = new Map(routes.map((settings) => [settings.id, toRoute(settings, rules)]));
  }

  /** Ids of the routes. */
  get ids(): readonly string[] {
    return [...this.#routes.keys()];
  }

  settingsOf(id: string): RouteSettings | undefined {
    return this.#routes.get(id)?.settings;
  }

  /** Returns the models of the targets that an account may use, whether their providers are configured or not. */
  visibleTargets(id: string, account: string): readonly Model[] {
    const { targets = [] } = this.#routes.get(id) ?? {};
    return targets.filter((target) => this.#rules.visible(target, account));
  }

  /** Returns the model that describes a route for an account. Undefined if none of the targets is usable. */
  modelOf(id: string, account: string): Model | undefined {
    const route = this.#routes.get(id);
    if (route === undefined) return undefined;
    const usable = this.visibleTargets(id, account).filter(({ provider }) => this.#rules.on.has(provider));
    const [first] = usable;
    if (first === undefined) return undefined;
    const key = usable.map((target) => route.targets.indexOf(target)).join();
    const known = route.models.get(key);
    if (known !== undefined) return known;
    const model = describeTargets(route.settings, first, usable);
    route.models.set(key, model);
    this.#targetsOf.set(model, usable);
    return model;
  }

  /** Returns the models of the usable targets of a model that `modelOf` returned. Undefined for any other model. */
  targetsOf(model: Model): readonly Model[] | undefined {
    return this.#targetsOf.get(model);
  }
}

function toRoute(settings: RouteSettings, { find }: TargetRules): Route {
  const weighted = settings.tiers.flatMap(({ targets }) => targets.filter(({ weight }) => weight > 0));
  const names = new Set(weighted.map(({ model }) => model));
  const canServe = ({ capabilities }: Model) => settings.require.every((name) => capabilities?.[name] ?? true);
  const targets = [...names].flatMap((name) => find(name) ?? []).filter(canServe);
  return { settings, targets, models: new Map() };
}

/** Returns a model with the facts that hold for whichever target serves a call. Unknown facts do not count. */
function describeTargets({ id, profile }: RouteSettings, first: Model, targets: readonly Model[]): Model {
  const { maxTemperature: _, deprecationTime: __, capabilities: ___, ...rest } = first;
  const [maxTemperature] = targets.flatMap((target) => target.maxTemperature ?? []).sort((a, b) => a - b);
  const capabilities = sharedCapabilities(targets);
  const deprecationTime = lastShutdown(targets);
  const { templateFamily } = first;
  return {
    ...rest,
    id,
    displayName: id,
    aliases: [],
    // profile.proto: the profile of the model or deployment comes before that of the route.
    profile: first.profile === Profile.UNSPECIFIED && profile !== undefined ? profileValues[profile] : first.profile,
    contextWindowTokens: smallest(targets.map((target) => target.contextWindowTokens)),
    maxOutputTokens: smallest(targets.map((target) => target.maxOutputTokens)),
    embeddingDimensions: targets.every((target) => target.embeddingDimensions === first.embeddingDimensions)
      ? first.embeddingDimensions
      : 0,
    templateFamily: targets.every((target) => target.templateFamily === templateFamily) ? templateFamily : "",
    reasoningEfforts: [],
    supportedParameters: [],
    prices: targets.length === 1 ? first.prices : [],
    ...(maxTemperature !== undefined && { maxTemperature }),
    ...(capabilities !== undefined && { capabilities }),
    ...(deprecationTime !== undefined && { deprecationTime }),
  };
}

/** Returns the smallest known number. 0 means unknown. */
function smallest(numbers: readonly number[]): number {
  return numbers.reduce((least, number) => (least === 0 || (number > 0 && number < least) ? number : least), 0);
}

/** Returns the capabilities that every target has. Undefined if those of a target are unknown. */
function sharedCapabilities(targets: readonly Model[]): ModelCapabilities | undefined {
  const known = targets.flatMap(({ capabilities }) => capabilities ?? []);
  if (known.length < targets.length) return undefined;
  const flags = ModelCapabilitiesSchema.fields.map(({ localName }) => {
    const name = localName as RequiredCapability;
    return [name, known.every((capabilities) => capabilities[name])];
  });
  return create(ModelCapabilitiesSchema, Object.fromEntries(flags));
}

/** Returns when the last target is shut down. Undefined if that of a target is unknown. */
function lastShutdown(targets: readonly Model[]): Model["deprecationTime"] {
  const times = targets.flatMap(({ deprecationTime }) => deprecationTime ?? []);
  if (times.length < targets.length) return undefined;
  return times.sort((a, b) => timestampMs(b) - timestampMs(a))[0];
}
