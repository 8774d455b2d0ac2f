/** Bound of a number. A NaN is not within any. */
type Bound = number | bigint;

const literal = (bound: Bound): string => (typeof bound === "bigint" ? `${bound}n` : `${bound}`);

const ofNumbers: Readonly<Record<string, (bound: Bound) => string>> = {
  gt: (bound) => `v > ${literal(bound)}`,
  gte: (bound) => `v >= ${literal(bound)}`,
  lt: (bound) => `v < ${literal(bound)}`,
  lte: (bound) => `v <= ${literal(bound)}`,
};

const numberTypes = ["double", "float", "int32", "int64", "uint32", "uint64", "sint32", "sint64"];

/**
 * JavaScript of the rules of protovalidate by their ids, such as `string.min_len`, for a value `v`. A condition may be
 * stricter than its rule if that is simpler.
 */
export const ruleConditions: Readonly<Record<string, (bound: never) => string>> = {
  // Rules count characters, which have one or two UTF-16 units.
  "string.min_len": (least: bigint) => `v.length >= ${2n * least - 1n}`,
  "string.max_len": (most: bigint) => `v.length <= ${most}`,
  "string.pattern": (pattern: string) => `${new RegExp(pattern, "u")}.test(v)`,
  "enum.in": (allowed: readonly number[]) => `(${allowed.map((number) => `v === ${number}`).join(" || ")})`,
  "enum.not_in": (forbidden: readonly number[]) => forbidden.map((number) => `v !== ${number}`).join(" && "),
  "repeated.min_items": (least: bigint) => `v.length >= ${least}`,
  "repeated.max_items": (most: bigint) => `v.length <= ${most}`,
  "map.min_pairs": (least: bigint) => `Object.keys(v).length >= ${least}`,
  "map.max_pairs": (most: bigint) => `Object.keys(v).length <= ${most}`,
  ...Object.fromEntries(
    numberTypes.flatMap((type) => Object.entries(ofNumbers).map(([rule, make]) => [`${type}.${rule}`, make])),
  ),
};

/** A rule in CEL, and the same in JavaScript for a message `m`. */
interface CelRule {
  readonly expression: string;
  readonly condition: string;
}

/** Rules of messages in CEL by their ids. A rule whose expression in the proto has changed does not count. */
export const celRules: Readonly<Record<string, CelRule>> = {
  "parameters.top_logprobs_needs_logprobs": {
    expression: "!has(this.top_logprobs) || this.top_logprobs == 0 || this.logprobs",
    condition: "m.topLogprobs === undefined || m.topLogprobs === 0 || m.logprobs === true",
  },
};
