import { create, createFileRegistry, type DescMessage, type MessageInitShape, ScalarType } from "@bufbuild/protobuf";
import {
  type DescriptorProtoSchema,
  FieldDescriptorProto_Label,
  FieldDescriptorProto_Type,
  type FieldDescriptorProtoSchema,
  FileDescriptorProtoSchema,
  file_google_protobuf_any,
  file_google_protobuf_duration,
  file_google_protobuf_struct,
} from "@bufbuild/protobuf/wkt";

type Field = MessageInitShape<typeof FieldDescriptorProtoSchema>;
type Nested = MessageInitShape<typeof DescriptorProtoSchema>;

const types = Object.values(ScalarType).filter((type) => typeof type === "number");
const { OPTIONAL, REPEATED } = FieldDescriptorProto_Label;
const { MESSAGE } = FieldDescriptorProto_Type;

/** Numbers of fields are far apart in part, so that tags have one to three bytes. */
function scalarFields(): Field[] {
  return types.flatMap((type, index): Field[] => [
    // The numbers of scalar types are those of field types.
    { name: `plain_${type}`, number: 1 + index, label: OPTIONAL, type: type as number },
    { name: `in_oneof_${type}`, number: 101 + index, label: OPTIONAL, type: type as number, oneofIndex: 0 },
    { name: `list_${type}`, number: 301 + index, label: REPEATED, type: type as number },
    {
      name: `unpacked_${type}`,
      number: 3001 + index,
      label: REPEATED,
      type: type as number,
      options: { packed: false },
    },
    {
      name: `optional_${type}`,
      number: 501 + index,
      label: OPTIONAL,
      type: type as number,
      proto3Optional: true,
      oneofIndex: 1 + index,
    },
  ]);
}

/** Maps from strings and int32s to every type and to messages. */
const maps = [ScalarType.STRING, ScalarType.INT32].flatMap((key, keyIndex) =>
  [...types, "message"].map((value, index): { field: Field; entry: Nested } => {
    const name = `Map${key}To${value}`;
    const content: Field = value === "message" ? { type: MESSAGE, typeName: ".test.Every" } : { type: value as number };
    return {
      field: {
        name: `map_${key}_to_${value}`,
        number: 701 + 50 * keyIndex + index,
        label: REPEATED,
        type: MESSAGE,
        typeName: `.test.Every.${name}Entry`,
      },
      entry: {
        name: `${name}Entry`,
        options: { mapEntry: true },
        field: [
          { name: "key", number: 1, label: OPTIONAL, type: key as number },
          { name: "value", number: 2, label: OPTIONAL, ...content },
        ],
      },
    };
  }),
);

const messageFields: Field[] = [
  { name: "child", number: 900, label: OPTIONAL, type: MESSAGE, typeName: ".test.Every" },
  { name: "children", number: 901, label: REPEATED, type: MESSAGE, typeName: ".test.Every" },
  { name: "child_in_oneof", number: 902, label: OPTIONAL, type: MESSAGE, typeName: ".test.Every", oneofIndex: 0 },
  { name: "struct", number: 903, label: OPTIONAL, type: MESSAGE, typeName: ".google.protobuf.Struct" },
  { name: "structs", number: 904, label: REPEATED, type: MESSAGE, typeName: ".google.protobuf.Struct" },
  { name: "value", number: 905, label: OPTIONAL, type: MESSAGE, typeName: ".google.protobuf.Value" },
  { name: "any", number: 906, label: OPTIONAL, type: MESSAGE, typeName: ".google.protobuf.Any" },
  { name: "duration", number: 907, label: OPTIONAL, type: MESSAGE, typeName: ".google.protobuf.Duration" },
];

const file = create(FileDescriptorProtoSchema, {
  name: "test/every.proto",
  package: "test",
  syntax: "proto3",
  dependency: ["google/protobuf/any.proto", "google/protobuf/duration.proto", "google/protobuf/struct.proto"],
  messageType: [
    {
      name: "Every",
      field: [...scalarFields(), ...maps.map(({ field }) => field), ...messageFields],
      nestedType: maps.map(({ entry }) => entry),
      oneofDecl: [{ name: "choice" }, ...types.map((type) => ({ name: `_optional_${type}` }))],
    },
  ],
});

const dependencies = [file_google_protobuf_any, file_google_protobuf_duration, file_google_protobuf_struct];
const registry = createFileRegistry(file, (name) => dependencies.find((one) => `${one.name}.proto` === name));

/** A message with fields of every type, alone, in a oneof, in lists and in maps, and with itself. */
export const EverySchema: DescMessage = registry.getMessage("test.Every") as DescMessage;
