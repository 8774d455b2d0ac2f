import { z } from "zod";
import type { ExtraFields } from "../../chat/planning/extra-fields.ts";
import { customArguments, customDescription, customSchema } from "../kit/custom-tools.ts";
import { jsonRecord } from "../kit/json-values.ts";
import { type BodyTool, text } from "../openai-shape/body.ts";
import { closedObject as object } from "../openai-shape/parts.ts";

const parameters = jsonRecord.parse(JSON.parse(customSchema));

/** Tool with free text as its input. The contract has only functions: one with a text parameter stands for it. */
export const customTool = object({
  type: z.literal("custom"),
  custom: object({
    name: z.string(),
    description: text,
    format: z
      .discriminatedUnion("type", [
        object({ type: z.literal("text") }),
        object({
          type: z.literal("grammar"),
          grammar: object({ definition: z.string(), syntax: z.enum(["lark", "regex"]) }),
        }),
      ])
      .nullish(),
  }),
}).transform(({ custom: { name, description, format } }) => {
  const grammar = format?.type === "grammar" ? { type: format.type, ...format.grammar } : undefined;
  return {
    isCustom: true,
    function: { name, description: customDescription({ name, description, format: grammar }), parameters },
  };
});

const named = object({ type: z.literal("custom"), custom: object({ name: z.string() }) });

/** Choice of a custom tool. */
export const customChoice = named.transform(({ custom: { name } }) => ({
  type: "function" as const,
  isCustom: true,
  function: { name },
}));

/** Call of a custom tool in an assistant message. SDKs and other gateways add fields of their own. */
export const customCall = z
  .looseObject({
    id: z.string(),
    type: z.literal("custom"),
    custom: z.looseObject({ name: z.string(), input: z.string() }),
  })
  .transform(({ custom: { name, input }, type: _, ...call }) => ({
    ...call,
    function: { name, arguments: customArguments(input) },
  }));

/** Returns a note for each custom tool of a body. */
export function customNotes(tools: readonly BodyTool[] | null | undefined): NonNullable<ExtraFields["notes"]> {
  const message = "the tool is sent as a function with one text parameter; its format is part of the description";
  return (tools ?? []).flatMap(({ isCustom }, index) =>
    isCustom ? [{ reason: "EMULATED", path: ["tools", index], message } as const] : [],
  );
}
