import { type DescField, type DescMessage, ScalarType } from "@bufbuild/protobuf";
import { isJson, isOptional } from "./plain-messages.ts";
import { delimitedTag, scalarOf, scalarTypeOf, tagOf } from "./scalars.ts";

/** Returns the name that the codec of a message has in the code. */
export type NameOf = (message: DescMessage) => string;

/** Returns the JavaScript of a function that writes the fields of a message in the order of their numbers. */
export function encoderSource({ typeName, fields, oneofs }: DescMessage, nameOf: NameOf): string {
  const sorted = [...fields].sort((one, other) => one.number - other.number);
  return `(w, m) => {
  if (m.$typeName !== ${JSON.stringify(typeName)} || m.$unknown !== undefined) unusual();
  let v;
  ${oneofs.map(({ localName }) => `const of_${localName} = m.${localName};`).join("\n  ")}
  ${sorted.map((field) => fieldSource(field, nameOf)).join("\n  ")}
}`;
}

function fieldSource(field: DescField, nameOf: NameOf): string {
  const { localName, number, oneof } = field;
  switch (field.fieldKind) {
    case "list":
      return listSource(field, nameOf);
    case "map":
      return mapSource(field, nameOf);
    default: {
      const write = valueSource(field, number, "v", nameOf);
      if (oneof === undefined) return `if (${isSetSource(field, `(v = m.${localName})`)}) { ${write} }`;
      return `if (of_${oneof.localName}.case === "${localName}") { v = of_${oneof.localName}.value; ${write} }`;
    }
  }
}

function isSetSource(field: DescField, value: string): string {
  if (isOptional(field)) return `${value} !== undefined`;
  switch (scalarTypeOf(field)) {
    case ScalarType.BYTES:
      return `${value}.byteLength !== 0`;
    case ScalarType.DOUBLE:
    case ScalarType.FLOAT:
      return `!Object.is(${value}, 0)`;
    default:
      return `${value} !== ${scalarOf(scalarTypeOf(field)).zero}`;
  }
}

/** Writes a value with a tag. */
function valueSource(field: DescField, fieldNumber: number, value: string, nameOf: NameOf): string {
  if (field.message !== undefined) {
    const write = isJson(field) ? `writeStruct(w, ${value})` : `${nameOf(field.message)}.encode(w, ${value})`;
    return `{ const at = w.open(${delimitedTag(fieldNumber)}); ${write}; w.close(at); }`;
  }
  return scalarSource(scalarTypeOf(field), fieldNumber, value);
}

function scalarSource(type: ScalarType, fieldNumber: number, value: string): string {
  const { method, wireType } = scalarOf(type);
  return `w.tag(${tagOf(fieldNumber, wireType)}); w.${method}(${value});`;
}

function listSource(field: DescField & { fieldKind: "list" }, nameOf: NameOf): string {
  const { localName, number } = field;
  const items = `(v = m.${localName}).length !== 0`;
  if (!field.packed) return `if (${items}) for (const item of v) { ${valueSource(field, number, "item", nameOf)} }`;
  const type = scalarTypeOf(field);
  const write = type === ScalarType.FLOAT ? "w.floats(v);" : `for (const item of v) w.${scalarOf(type).method}(item);`;
  return `if (${items}) { const at = w.open(${delimitedTag(number)}); ${write} w.close(at); }`;
}

function mapSource(field: DescField & { fieldKind: "map" }, nameOf: NameOf): string {
  const { localName, number, mapKey } = field;
  const key = mapKey === ScalarType.STRING ? "key" : "numberOf(key)";
  return `for (const key of Object.keys(m.${localName})) {
    const entry = w.open(${delimitedTag(number)});
    ${scalarSource(mapKey, 1, key)}
    v = m.${localName}[key];
    ${valueSource(field, 2, "v", nameOf)}
    w.close(entry);
  }`;
}
