import type { DescField, DescMessage, DescOneof } from "@bufbuild/protobuf";
import { WireType } from "@bufbuild/protobuf/wire";
import type { NameOf } from "./encoder-source.ts";
import { isJson, isOptional } from "./plain-messages.ts";
import { delimitedTag, scalarOf, scalarTypeOf, tagOf } from "./scalars.ts";

/**
 * Returns the JavaScript of a function that reads a message. The message has its properties in the order in which
 * protobuf-es adds them.
 */
export function decoderSource({ typeName, members, fields, oneofs }: DescMessage, nameOf: NameOf): string {
  return `(r, end) => {
  r.enter();
  const m = { $typeName: ${JSON.stringify(typeName)}${members.map(initialSource).join("")} };
  while (r.at < end) {
    switch (r.uint32()) {
      ${fields.flatMap((field) => caseSources(field, nameOf)).join("\n      ")}
      default: r.unknown();
    }
  }
  r.leave(end);
  ${oneofs.map(({ localName }) => `if (m.${localName} === undefined) m.${localName} = { case: undefined };`).join("\n  ")}
  return m;
}`;
}

/** A member as protobuf-es creates it. A oneof gets its object at the end, because nearly each has a field then. */
function initialSource(member: DescField | DescOneof): string {
  if (member.kind === "oneof") return `, ${member.localName}: undefined`;
  if (member.fieldKind === "list") return `, ${member.localName}: []`;
  if (member.fieldKind === "map") return `, ${member.localName}: {}`;
  return isOptional(member) ? "" : `, ${member.localName}: ${scalarOf(scalarTypeOf(member)).zero}`;
}

function caseSources(field: DescField, nameOf: NameOf): readonly string[] {
  const { localName, number, oneof } = field;
  const value = valueSource(field, nameOf);
  if (field.fieldKind === "map") return [mapSource(field, nameOf)];
  if (field.fieldKind === "list") {
    const push = `m.${localName}.push(${value})`;
    const single = caseSource(fieldTag(field, number), push);
    if (field.message !== undefined || wireTypeOf(field) === WireType.LengthDelimited) return [single];
    const packed = `{ const stop = r.end(); while (r.at < stop) ${push}; if (r.at !== stop) r.unknown(); }`;
    return [single, caseSource(delimitedTag(number), packed)];
  }
  const place = `m.${oneof?.localName ?? localName}`;
  const set = oneof === undefined ? `${place} = ${value}` : `${place} = { case: "${localName}", value: ${value} }`;
  // A further message for the field is merged with the first.
  return [caseSource(fieldTag(field, number), field.message === undefined ? set : `r.first(${place}); ${set}`)];
}

function caseSource(tag: number, work: string): string {
  return `case ${tag}: ${work}; break;`;
}

function valueSource(field: DescField, nameOf: NameOf): string {
  if (field.message === undefined) return `r.${scalarOf(scalarTypeOf(field)).method}()`;
  return isJson(field) ? "readStruct(r, r.end())" : `${nameOf(field.message)}.decode(r, r.end())`;
}

function wireTypeOf(field: DescField): WireType {
  return field.message === undefined ? scalarOf(scalarTypeOf(field)).wireType : WireType.LengthDelimited;
}

function fieldTag(field: DescField, fieldNumber: number): number {
  return tagOf(fieldNumber, wireTypeOf(field));
}

function mapSource(field: DescField & { fieldKind: "map" }, nameOf: NameOf): string {
  const { localName, number, mapKey } = field;
  const key = scalarOf(mapKey);
  // Entries without a value are rare, and that of a message takes more than a literal.
  const isMessage = field.message !== undefined;
  const initial = isMessage ? "undefined" : scalarOf(scalarTypeOf(field)).zero;
  return `case ${delimitedTag(number)}: {
        const stop = r.end();
        let key = ${key.zero};
        let value = ${initial};
        while (r.at < stop) {
          switch (r.uint32()) {
            case ${tagOf(1, key.wireType)}: key = r.${key.method}(); break;
            case ${fieldTag(field, 2)}: ${isMessage ? "r.first(value); " : ""}value = ${valueSource(field, nameOf)}; break;
            default: r.unknown();
          }
        }
        if (r.at !== stop${isMessage ? " || value === undefined" : ""}) r.unknown();
        setEntry(r, m.${localName}, key, value);
        break;
      }`;
}
