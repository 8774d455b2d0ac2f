import { type DescField, type DescMessage, ScalarType } from "@bufbuild/protobuf";
import { Edition, FeatureSet_FieldPresence, isWrapperDesc, StructSchema, ValueSchema } from "@bufbuild/protobuf/wkt";

/** Whether messages have the field as JSON, and not as a Struct. */
export function isJson(field: DescField): boolean {
  return field.message?.typeName === StructSchema.typeName && field.parent.typeName !== ValueSchema.typeName;
}

/** Whether a field is undefined while it is not set. */
export function isOptional(field: DescField): boolean {
  return field.presence === FeatureSet_FieldPresence.EXPLICIT;
}

/** Returns the messages in a message at all levels, with itself. */
export function messagesIn(schema: DescMessage): ReadonlySet<DescMessage> {
  const found = new Set([schema]);
  // The loop also visits what is added meanwhile.
  for (const { fields } of found) {
    for (const field of fields) if (field.message !== undefined && !isJson(field)) found.add(field.message);
  }
  return found;
}

/** Whether a message has only what the compiled code can do. All messages of the contract have. */
export function isPlain({ file, fields }: DescMessage): boolean {
  return file.edition === Edition.EDITION_PROTO3 && fields.every(isPlainField);
}

const keyTypes: ReadonlySet<ScalarType> = new Set([ScalarType.STRING, ScalarType.INT32]);

function isPlainField(field: DescField): boolean {
  const isWrapped = field.message !== undefined && isWrapperDesc(field.message);
  const isLongText = "longAsString" in field && field.longAsString === true;
  return !isWrapped && !isLongText && (field.fieldKind !== "map" || keyTypes.has(field.mapKey));
}
