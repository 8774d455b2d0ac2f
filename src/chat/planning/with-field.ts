import type { DescField, DescMessage, MessageShape } from "@bufbuild/protobuf";
import { isReflectMessage, type ReflectMessage, reflect, reflectList } from "@bufbuild/protobuf/reflect";
import { type FieldPath, formatPath } from "../../field-path.ts";

/**
 * A copy of a message with another value at a path, or without one when the value is undefined. Shares with the message
 * all that the path does not lead through: a request may hold megabytes of media.
 */
export function withField<Desc extends DescMessage>(
  schema: Desc,
  message: MessageShape<Desc>,
  [name, ...rest]: FieldPath,
  value: unknown,
): MessageShape<Desc> {
  const field = schema.fields.find((candidate) => candidate.name === name);
  if (field === undefined) throw new Error(`${schema.typeName} has no field ${formatPath([name ?? ""])}`);
  const copy = { ...message };
  const reflected = reflect(schema, copy);
  if (rest.length > 0) {
    if (reflected.isSet(field)) reflected.set(field, changedInside(field, reflected, rest, value));
  } else if (value === undefined) {
    reflected.clear(field);
  } else {
    reflected.set(field, value);
  }
  return copy;
}

/** The value of a field, changed at a path inside it. */
function changedInside(field: DescField, parent: ReflectMessage, path: FieldPath, value: unknown): unknown {
  if (field.fieldKind === "message") {
    return reflect(field.message, withField(field.message, parent.get(field).message, path, value));
  }
  const [index, ...rest] = path;
  if (field.fieldKind !== "list" || rest.length === 0) throw new Error(`no path leads into ${field.name}`);
  const list = reflectList(field);
  for (const [place, item] of parent.get(field).entries()) {
    const isChanged = place === index && isReflectMessage(item);
    list.add(isChanged ? reflect(item.desc, withField(item.desc, item.message, rest, value)) : item);
  }
  return list;
}
