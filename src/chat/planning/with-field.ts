import type { DescField, DescMessage, MessageShape } from "@bufbuild/protobuf";
import { isReflectMessage, type ReflectMessage, reflect, reflectList } from "@bufbuild/protobuf/reflect";
import { type FieldPath, formatPath } from "../../field-path.ts";

/**
 * Returns a copy of a message with a new value at a path; undefined clears the field. The copy shares all values
 * outside the path with the original, because a request may contain megabytes of media.
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

/** Whether a message has a field: a path of names. False if the type has no field at the path. */
export function isFieldSet<Desc extends DescMessage>(
  schema: Desc,
  message: MessageShape<Desc>,
  [name, ...rest]: FieldPath,
): boolean {
  const field = schema.fields.find((candidate) => candidate.name === name);
  if (field === undefined) return false;
  const reflected = reflect(schema, message);
  if (rest.length === 0 || !reflected.isSet(field)) return reflected.isSet(field);
  return field.fieldKind === "message" && isFieldSet(field.message, reflected.get(field).message, rest);
}

/** Returns the value of a field with a new value at a path inside it. */
function changedInside(field: DescField, parent: ReflectMessage, path: FieldPath, value: unknown): unknown {
  if (field.fieldKind === "message") {
    return reflect(field.message, withField(field.message, parent.get(field).message, path, value));
  }
  const [index, ...rest] = path;
  if (field.fieldKind !== "list" || rest.length === 0) throw new Error(`cannot set a path inside ${field.name}`);
  const list = reflectList(field);
  for (const [place, item] of parent.get(field).entries()) {
    const isChanged = place === index && isReflectMessage(item);
    list.add(isChanged ? reflect(item.desc, withField(item.desc, item.message, rest, value)) : item);
  }
  return list;
}
