import { z } from "zod";
import { type JsonRecord, jsonRecord } from "../kit/json-values.ts";
import { type BodyFormat, flag, text } from "../openai-shape/body.ts";
import { closedObject as object } from "../openai-shape/parts.ts";

const described = object({ name: z.string(), description: text, schema: jsonRecord.nullish(), strict: flag });

function inline(schema: JsonRecord): BodyFormat {
  return { type: "json_schema", json_schema: { name: "response", schema }, isInline: true };
}

const problem = "is required; write json_schema with the properties name and schema";

/**
 * Schema of `response_format`. Together and Fireworks add `schema` to the type `json_object`, and llama.cpp to both
 * types.
 */
export const responseFormat = z
  .discriminatedUnion("type", [
    object({ type: z.literal("text") }),
    object({ type: z.literal("json_object"), schema: jsonRecord.nullish() }),
    object({ type: z.literal("json_schema"), json_schema: described.nullish(), schema: jsonRecord.nullish() })
      .refine(({ json_schema, schema }) => json_schema || schema, { error: problem, path: ["json_schema"] })
      .refine(({ json_schema, schema }) => !json_schema || !schema, {
        error: "differs in form from json_schema; send only one of them",
        path: ["schema"],
      }),
    object({ type: z.literal("regex"), regex: z.string() }),
  ])
  .nullish()
  .transform((format): BodyFormat | null | undefined => {
    if (format?.type !== "json_object" && format?.type !== "json_schema") return format;
    if (format.schema) return inline(format.schema);
    if (format.type === "json_object" || !format.json_schema) return { type: "json_object" };
    return { type: "json_schema", json_schema: format.json_schema };
  });
