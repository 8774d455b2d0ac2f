import type { z } from "zod";

/** Reasons for which Dragoman rejects objects, by their type. A reason says what to write instead. */
export type RejectedTypes = Readonly<Record<string, string>>;

/** Adds an issue if an object has a type that Dragoman rejects. For `z.preprocess`. */
export function rejectTypes(value: unknown, types: RejectedTypes, context: z.core.$RefinementCtx): void {
  const type = typeof value === "object" && value !== null && "type" in value ? value.type : undefined;
  if (typeof type !== "string" || !Object.hasOwn(types, type)) return;
  context.addIssue({ code: "custom", message: types[type], input: value });
}
