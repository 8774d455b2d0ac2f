import { z } from "zod";
import { ModelCapabilitiesSchema } from "../gen/dragoman/v1/model_pb.js";
import { decimalForms, describeForms, jsonForms, oneOf } from "./json-forms.ts";
import { profile } from "./model-schema.ts";
import { durationForms, parseDecimal, parseDuration } from "./quantities.ts";
import { defaultBreaker, type RequiredCapability } from "./route.ts";
import { choice, duration, leaf, longDuration, section, share, shareAboveZero, wholeNumber } from "./rules.ts";
import { suggest } from "./suggest.ts";

const heaviest = 1_000_000;
const weight = leaf({
  parse: (value) => {
    const number = parseDecimal(value);
    return number !== undefined && number <= heaviest ? number : undefined;
  },
  problem: "is not a weight",
  fix: `write a number from 0 (no calls) to ${heaviest}, such as 3 or 0.5`,
  forms: decimalForms({ minimum: 0, maximum: heaviest }),
  shown: true,
});

// YAML 1.1 renderers write `off` as false.
const affinities: ReadonlyMap<string, boolean> = new Map([
  ["auto", true],
  ["on", true],
  ["true", true],
  ["off", false],
  ["false", false],
]);
const affinity = leaf({
  parse: (value) => affinities.get(String(value)),
  problem: "is not a valid value",
  fix: "write one of auto, off",
  forms: [oneOf(...affinities.keys(), true, false)],
  shown: true,
});

const hedgeAfter = leaf({
  parse: (value) => (value === "p95" ? value : parseDuration(value) || undefined),
  problem: "is neither p95 nor a duration above zero",
  fix: "write p95, or a duration such as 500ms or 2s",
  forms: [oneOf("p95"), ...durationForms(1)],
  shown: true,
});

/** Capabilities by their name in the configuration: the name of the field in the proto. */
const capabilityNames: ReadonlyMap<string, RequiredCapability> = new Map(
  ModelCapabilitiesSchema.fields.map(({ name, localName }) => [name, localName as RequiredCapability]),
);
const capability = z.unknown().transform((value, context): RequiredCapability => {
  const name = String(value);
  const found = capabilityNames.get(name);
  if (found !== undefined) return found;
  const fix = name === "vision" ? "write image_input" : suggest(name, [...capabilityNames.keys()]);
  context.issues.push({
    code: "custom",
    input: value,
    message: "is not a capability of models",
    params: { fix, shown: true },
  });
  return z.NEVER;
});
capability.register(
  jsonForms,
  describeForms([oneOf(...capabilityNames.keys())], "write a capability, as in the section models"),
);

const modelName = leaf({
  parse: (value) => (typeof value === "string" && value !== "" ? value : undefined),
  problem: "is not the name of a model",
  fix: "write an id of the catalog, `provider/model` or `deployments/<id>`",
  forms: [{ type: "string", minLength: 1 }],
});

const target = z
  .unknown()
  .check(({ value, issues }) => {
    if (typeof value !== "string") return;
    const fix = "write `{ model: NAME }`, with the name in place of NAME";
    issues.push({ code: "custom", input: value, message: "is not a mapping", params: { fix } });
  })
  .pipe(section({ model: modelName, weight: weight.prefault(1) }));

const tier = section({
  targets: z.array(target).optional(),
  balance: choice("weighted", "latency", "cost", "order").prefault("weighted"),
});

const attemptCount = wholeNumber(1, 100);

/** One entry of `routes`. `resolveRoutes` sets the default of a key that another key bounds. */
export const routeSchema = section({
  tiers: z.array(tier).optional(),
  affinity: affinity.prefault("auto"),
  attempts: section({ max: attemptCount.prefault(4), per_target: attemptCount.optional() }).prefault({}),
  retry: section({
    backoff: section({ initial: duration.optional(), max: duration.prefault("2s") }).prefault({}),
    retry_after_up_to: duration.prefault("5s"),
    budget: share.prefault(0.2),
  }).prefault({}),
  timeouts: section({
    first_output: duration.prefault(0),
    idle: duration.prefault(0),
    attempt: duration.prefault(0),
  }).prefault({}),
  hedge: section({ after: hedgeAfter.prefault("p95"), budget: shareAboveZero.prefault(0.02) }).optional(),
  require: z.array(capability).prefault([]),
  profile: profile.optional(),
});
export type RouteSection = z.output<typeof routeSchema>;

/** The section `breaker`. */
export const breakerSchema = section({
  window: longDuration.prefault(defaultBreaker.windowMs),
  min_calls: wholeNumber(1).prefault(defaultBreaker.minCalls),
  failure_ratio: shareAboveZero.prefault(defaultBreaker.failureRatio),
  consecutive: wholeNumber(1).prefault(defaultBreaker.consecutive),
  open: longDuration.optional(),
  open_max: longDuration.prefault(defaultBreaker.openMaxMs),
  ramp: duration.prefault(defaultBreaker.rampMs),
  max_open_share: share.prefault(defaultBreaker.maxOpenShare),
});
export type BreakerSection = z.output<typeof breakerSchema>;
