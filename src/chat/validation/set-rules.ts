import { isReflectList, type ReflectMessage } from "@bufbuild/protobuf/reflect";

/** A rule of protovalidate that is set in the proto. */
export interface SetRule {
  /** Empty: the version of the rules here lacks it. */
  readonly name: string;
  readonly value: unknown;
}

/** Returns the fields that are set in a message of rules. */
export function setRules(rules: ReflectMessage): readonly SetRule[] {
  const known = rules.fields
    .filter((field) => rules.isSet(field))
    .map((field) => {
      const value: unknown = rules.get(field);
      return { name: field.name, value: isReflectList(value) ? [...value] : value };
    });
  return [...known, ...(rules.getUnknown() ?? []).map(() => ({ name: "", value: undefined }))];
}
