import type { FieldPath } from "../../field-path.ts";
import type { GenerationParameters } from "../../gen/dragoman/v1/parameters_pb.js";

/** Maximum of `GenerationParameters.seed`, a signed 64-bit integer. */
const maxSigned = 2n ** 63n - 1n;

/** Returns the seed of a request, from either of its two fields. Undefined if it sets none. */
export function seedOf(parameters: Pick<GenerationParameters, "seedValue"> | undefined): bigint | undefined {
  return parameters?.seedValue.value;
}

/** Returns the field for a seed. */
export function seedValue(seed: bigint): GenerationParameters["seedValue"] {
  return seed > maxSigned ? { case: "unsignedSeed", value: seed } : { case: "seed", value: seed };
}

/** Returns the path of the seed field that a request sets. */
export function seedPath(parameters: Pick<GenerationParameters, "seedValue"> | undefined): FieldPath {
  return ["parameters", parameters?.seedValue.case === "unsignedSeed" ? "unsigned_seed" : "seed"];
}

/** Whether one of the two fields can hold a seed. */
export function isSeed(seed: number | bigint): boolean {
  return seed >= -(2n ** 63n) && seed < 2n ** 64n;
}
