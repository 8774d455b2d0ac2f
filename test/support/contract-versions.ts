import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import {
  create,
  createFileRegistry,
  type DescMessage,
  type FileRegistry,
  fromBinary,
  isFieldSet,
} from "@bufbuild/protobuf";
import {
  type DescriptorProto,
  type EnumDescriptorProto,
  EnumValueDescriptorProtoSchema,
  type FieldDescriptorProto,
  FieldDescriptorProto_Label,
  FieldDescriptorProto_Type,
  FieldDescriptorProtoSchema,
  FileDescriptorSetSchema,
} from "@bufbuild/protobuf/wkt";

// Other versions of the contract, made from its descriptors: what clients and servers of other ages have.

const packagePrefix = "dragoman.v1.";
const bytes = readFileSync(resolve(import.meta.dirname, "../../src/gen/descriptors.binpb"));

/** Fields (`Message.field`) and enum values that a version of the contract added together. */
export const additions = {
  media: ["Part.media", "PartDelta.media"],
  refusals: ["Part.refusal", "PartDelta.refusal"],
  "tool calls": ["Part.tool_call", "PartDelta.tool_call"],
  "server tool calls": ["Part.server_tool_call", "PartDelta.server_tool_call"],
  "server tool results": ["Part.server_tool_result", "PartDelta.server_tool_result"],
  "search results": ["Part.search_result", "ToolResultPart.search_result"],
  citations: ["Part.citations", "PartDelta.citation"],
  "sources that are URLs": ["Citation.url"],
  "sources of a choice": ["Choice.sources", "ChoiceFinished.sources"],
  metadata: [
    "Choice.provider_metadata_json",
    "ChoiceFinished.provider_metadata_json",
    "ChatCompletion.provider_metadata_json",
    "ChatCompleted.provider_metadata_json",
  ],
  violations: ["Choice.output_violation", "ChoiceFinished.output_violation"],
  profiles: ["ChatStarted.profile", "ChatCompletion.profile", "ChatRequest.profile"],
  "provider states": ["Part.provider_state", "PartDelta.provider_state"],
  "sequence numbers": ["StreamChatResponse.seq"],
  "usage details": [
    "Usage.cached_input_tokens",
    "Usage.reasoning_tokens",
    "Usage.server_tool_requests",
    "Usage.quality",
  ],
  "finish reasons": ["FINISH_REASON_TOOL_CALLS", "FINISH_REASON_OTHER"],
  "profile values": ["PROFILE_PLAIN"],
} as const satisfies Record<string, readonly string[]>;

export type Addition = keyof typeof additions;

/** Returns the contract without some fields and enum values. */
export function contractWithout(removed: readonly string[]): FileRegistry {
  const names = new Set(removed);
  return changedContract(
    (message) => removeFields(message, names),
    (one) => {
      one.value = one.value.filter(({ name }) => !names.has(name));
    },
  );
}

/** What `newerContract` adds. */
export const novelty = {
  /** Text field of every message. */
  field: "novelty",
  /** Prefix of a text case of every oneof, before the name of the oneof: `hologram_kind`. */
  case: "hologram",
  /** Name of the value of every enum, without the prefix of the enum. */
  enumName: "NOVEL",
  enumValue: 1000,
} as const;

/**
 * Returns the contract of a later version. Each message has a further field, each oneof a further case, each enum a
 * further value.
 */
export function newerContract(): FileRegistry {
  return changedContract(
    (message) => {
      addField(message, novelty.field, 1000);
      for (const [index, { name }] of message.oneofDecl.entries()) {
        const isSynthetic = message.field.some((field) => field.proto3Optional && isInOneof(field, index));
        if (!isSynthetic) addField(message, `${novelty.case}_${name}`, 1001 + index, index);
      }
    },
    (one) => {
      const name = one.value[0]?.name.replace(/UNSPECIFIED$/, novelty.enumName) ?? "";
      one.value.push(create(EnumValueDescriptorProtoSchema, { name, number: novelty.enumValue }));
    },
  );
}

/** Returns a message of a version of the contract. */
export function messageOf(contract: FileRegistry, name: string): DescMessage {
  const found = contract.getMessage(packagePrefix + name);
  if (found === undefined) throw new Error(`the contract has no message ${name}`);
  return found;
}

function changedContract(
  changeMessage: (message: DescriptorProto) => void,
  changeEnum: (one: EnumDescriptorProto) => void,
): FileRegistry {
  const set = fromBinary(FileDescriptorSetSchema, bytes);
  for (const file of set.file) {
    if (`${file.package}.` !== packagePrefix) continue;
    file.messageType.forEach(changeMessage);
    file.enumType.forEach(changeEnum);
  }
  return createFileRegistry(set);
}

function removeFields(message: DescriptorProto, names: ReadonlySet<string>): void {
  message.field = message.field.filter(({ name }) => !names.has(`${message.name}.${name}`));
  // A oneof without fields is invalid, and an optional field has a oneof of its own.
  const used = message.oneofDecl.map((_, index) => message.field.some((field) => isInOneof(field, index)));
  for (const field of message.field) {
    const index = used.findIndex((_, place) => isInOneof(field, place));
    if (index >= 0) field.oneofIndex = used.slice(0, index).filter(Boolean).length;
  }
  message.oneofDecl = message.oneofDecl.filter((_, index) => used[index]);
}

function isInOneof(field: FieldDescriptorProto, index: number): boolean {
  return isFieldSet(field, FieldDescriptorProtoSchema.field.oneofIndex) && field.oneofIndex === index;
}

/** Adds a text field, if `oneof` is set as a case of that oneof. */
function addField(message: DescriptorProto, name: string, number: number, oneof?: number): void {
  message.field.push(
    create(FieldDescriptorProtoSchema, {
      name,
      jsonName: name,
      number,
      label: FieldDescriptorProto_Label.OPTIONAL,
      type: FieldDescriptorProto_Type.STRING,
      ...(oneof !== undefined && { oneofIndex: oneof }),
    }),
  );
}
