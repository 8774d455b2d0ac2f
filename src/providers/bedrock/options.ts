import type { z } from "zod";
import type { Environment } from "../../config/environment.ts";
import { pattern, section } from "../../config/rules.ts";

export const optionsSchema = section({
  /** AWS region of the endpoint. Default: `AWS_REGION`, else `AWS_DEFAULT_REGION`. */
  region: pattern(/^[a-z0-9-]+$/, "write a region such as us-east-1").optional(),
});

export type Options = z.output<typeof optionsSchema>;

/** Returns the region that the variables name. */
export function regionOf({ AWS_REGION, AWS_DEFAULT_REGION }: Environment): string | undefined {
  return AWS_REGION || AWS_DEFAULT_REGION || undefined;
}
