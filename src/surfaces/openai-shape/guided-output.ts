import type { MessageInitShape } from "@bufbuild/protobuf";
import { z } from "zod";
import type { ReportViolation } from "../../errors.ts";
import { formatDotted } from "../../field-path.ts";
import type { OutputFormatSchema } from "../../gen/dragoman/v1/output_format_pb.js";
import type { FieldNames } from "../kit/field-names.ts";
import { type JsonRecord, jsonRecord, toJsonText } from "../kit/json-values.ts";

type Format = MessageInitShape<typeof OutputFormatSchema>;
type Schema = string | JsonRecord | null | undefined;
type Choices = readonly string[] | null | undefined;

/** Constraints of the output that vLLM and SGLang have beside `response_format`. */
export interface BodyGuides {
  readonly guided_json?: Schema;
  readonly guided_regex?: string | null | undefined;
  readonly guided_choice?: Choices;
  readonly json_schema?: Schema;
  readonly regex?: string | null | undefined;
  readonly structured_outputs?: JsonRecord | null | undefined;
}

const schema = z.union([z.string(), jsonRecord], "must be a JSON Schema, as an object or as its text").nullish();
const choices = z.array(z.string()).min(1).nullish();
const pattern = z.string().nullish();

/** Schemas of vLLM's `guided_` fields (older versions), its `structured_outputs`, and SGLang's fields. */
export const guideFields = {
  guided_json: schema,
  guided_regex: pattern,
  guided_choice: choices,
  json_schema: schema,
  regex: pattern,
  structured_outputs: z
    .looseObject({ json: schema, regex: pattern, choice: choices, json_object: z.boolean().nullish() })
    .nullish(),
};

interface Guided {
  readonly format: Format | undefined;
  /** Body path of each output format field. */
  readonly names: FieldNames;
}

const formatPaths = [
  "output_format",
  "output_format.json_object",
  "output_format.json_schema",
  "output_format.json_schema.schema_json",
  "output_format.regex",
  "output_format.regex.pattern",
];

/** Returns the output format of a body's constraints. Reports several of them, also with `response_format`. */
export function readGuides(body: BodyGuides, hasFormat: boolean, report: ReportViolation): Guided {
  const given: readonly (readonly [field: readonly string[], format: Format | undefined])[] = [
    [["guided_json"], jsonFormat(body.guided_json)],
    [["guided_regex"], regexFormat(body.guided_regex)],
    [["guided_choice"], choiceFormat(body.guided_choice)],
    [["json_schema"], jsonFormat(body.json_schema)],
    [["regex"], regexFormat(body.regex)],
    ...structured(body.structured_outputs),
  ];
  const [first, ...others] = given.filter(([, format]) => format !== undefined);
  if (first === undefined) return { format: undefined, names: {} };
  const name = formatDotted(first[0]);
  if (hasFormat) report(first[0], "sets the output format, as response_format does; send only one of them");
  for (const [field] of others) report(field, `sets the output format, as ${name} does; send only one of them`);
  return { format: first[1], names: Object.fromEntries(formatPaths.map((path) => [path, name])) };
}

/** Returns the fields of `structured_outputs` that only vLLM has, such as `grammar`. */
export function otherGuides({ structured_outputs }: BodyGuides): JsonRecord {
  const { json, regex, choice, json_object, ...rest } = structured_outputs ?? {};
  return rest;
}

function structured(outputs: BodyGuides["structured_outputs"]) {
  const { data } = guideFields.structured_outputs.safeParse(outputs);
  const place = (name: string) => ["structured_outputs", name];
  return [
    [place("json"), jsonFormat(data?.json)],
    [place("regex"), regexFormat(data?.regex)],
    [place("choice"), choiceFormat(data?.choice)],
    [place("json_object"), data?.json_object ? ({ format: { case: "jsonObject", value: {} } } as const) : undefined],
  ] as const;
}

function jsonFormat(given: Schema): Format | undefined {
  if (given === null || given === undefined) return undefined;
  const schemaJson = typeof given === "string" ? given : toJsonText(given);
  return { format: { case: "jsonSchema", value: { name: "response", schemaJson } } };
}

function regexFormat(given: string | null | undefined): Format | undefined {
  return given ? { format: { case: "regex", value: { pattern: given } } } : undefined;
}

function choiceFormat(given: Choices): Format | undefined {
  const texts = given?.map((text) => text.replaceAll(/[\\^$.*+?()[\]{}|]/g, "\\$&"));
  return texts?.length ? regexFormat(`(${texts.join("|")})`) : undefined;
}
