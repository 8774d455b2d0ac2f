import type { DescMessage, JsonObject, JsonValue } from "@bufbuild/protobuf";
import { ChatRequestSchema } from "../../gen/dragoman/v1/chat_request_pb.js";
import { GenerationParametersSchema } from "../../gen/dragoman/v1/parameters_pb.js";
import { nearest } from "../../nearest.ts";
import { UsageError } from "../failures.ts";

/** Sets a field of a request, in the JSON of the proto, from a text such as `top_p=0.9`. Throws UsageError. */
export function setField(request: JsonObject, text: string): void {
  const [, written = "", value = ""] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
  if (written === "") throw new UsageError("--param is no field with a value; write one such as --param top_p=0.9");
  const path = pathOf(written);
  let place = request;
  for (const name of path.slice(0, -1)) {
    const next = place[name];
    const inner: JsonObject = typeof next === "object" && next !== null && !Array.isArray(next) ? next : {};
    place[name] = inner;
    place = inner;
  }
  place[path.at(-1) ?? ""] = fieldValue(value);
}

/** Returns the path of a field. The parameters need no prefix, and names can be those of JSON. */
function pathOf(written: string): readonly string[] {
  const [first = "", ...others] = written.split(".");
  const field = nameIn(ChatRequestSchema, first);
  if (field === "parameters" && others.length > 0) {
    const [name = "", ...rest] = others;
    return ["parameters", nameIn(GenerationParametersSchema, name) ?? name, ...rest];
  }
  if (field !== undefined) return [field, ...others];
  const parameter = nameIn(GenerationParametersSchema, first);
  if (parameter !== undefined) return ["parameters", parameter, ...others];
  const names = [ChatRequestSchema, GenerationParametersSchema].flatMap(({ fields }) => fields.map(({ name }) => name));
  const near = nearest(first, names);
  const fix = near.length > 0 ? `did you mean ${near.join(" or ")}?` : "write a field of ChatRequest or its parameters";
  throw new UsageError(`--param: unknown field ${JSON.stringify(first)}; ${fix}`);
}

function nameIn({ fields }: DescMessage, name: string): string | undefined {
  return fields.find((field) => field.name === name || field.jsonName === name)?.name;
}

/** A value that is no JSON is a text. */
function fieldValue(text: string): JsonValue {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
