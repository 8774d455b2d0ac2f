import {
  createFileRegistry,
  type DescEnum,
  type DescField,
  type DescMessage,
  type DescService,
  fromBinary,
  ScalarType,
} from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { getComments } from "@bufbuild/protoplugin";

type Described = DescService | DescMessage | DescEnum;

const introduction = `# Contract

<!-- \`npm run generate\` writes this page from the comments in proto/dragoman. -->

Every service, message and enum of [\`proto/dragoman\`](../../proto/dragoman), by package. Times are
\`google.protobuf.Timestamp\`, durations \`google.protobuf.Duration\`. Static rules of fields are in the proto, as
annotations of \`buf.validate\`. Of the fields of one \`oneof\`, at most one is set.
`;

/** Returns docs/reference/contract.md, from a set of file descriptors with comments. */
export function contractPage(descriptors: Uint8Array): string {
  const files = [...createFileRegistry(fromBinary(FileDescriptorSetSchema, descriptors)).files].filter(({ proto }) =>
    proto.package.startsWith("dragoman."),
  );
  const sections = [...Map.groupBy(files, ({ proto }) => proto.package)].sort(([a], [b]) => b.localeCompare(a));
  const text = [introduction];
  for (const [name, members] of sections) {
    text.push(`\n## ${name}\n`);
    text.push(...members.flatMap(({ services }) => services).map(serviceText));
    const types = members.flatMap(({ messages, enums }) => [...messages.flatMap(withNested), ...enums]);
    types.sort((a, b) => titleOf(a).localeCompare(titleOf(b)));
    text.push(...types.map((type) => (type.kind === "message" ? messageText(type) : enumText(type))));
  }
  return text.join("");
}

function withNested(message: DescMessage): readonly (DescMessage | DescEnum)[] {
  const own = message.proto.options?.mapEntry ? [] : [message];
  return [...own, ...message.nestedEnums, ...message.nestedMessages.flatMap(withNested)];
}

function serviceText(service: DescService): string {
  const methods = service.methods.map(({ name, methodKind, input, output, ...method }) => {
    const response = methodKind === "server_streaming" ? "a stream of " : "";
    const comment = commentOf({ name, methodKind, input, output, ...method });
    return `\n#### ${service.name}.${name}\n\n${linkTo(input)} → ${response}${linkTo(output)}\n\n${comment}\n`;
  });
  return `\n### ${service.name}\n\n${commentOf(service)}\n${methods.join("")}`;
}

function messageText(message: DescMessage): string {
  const rows = message.fields.map((field) => {
    const oneof = field.oneof === undefined ? "" : `One of \`${field.oneof.name}\`. `;
    return `| \`${field.name}\` | ${typeOf(field)} | ${oneof}${cell(commentOf(field))} |\n`;
  });
  const table = rows.length === 0 ? "" : `\n| field | type | meaning |\n|---|---|---|\n${rows.join("")}`;
  return `\n### ${titleOf(message)}\n\n${commentOf(message)}\n${table}`;
}

function enumText(type: DescEnum): string {
  const rows = type.values.map((value) => `| \`${value.name}\` | ${value.number} | ${cell(commentOf(value))} |\n`);
  return `\n### ${titleOf(type)}\n\n${commentOf(type)}\n\n| value | number | meaning |\n|---|---|---|\n${rows.join("")}`;
}

function typeOf(field: DescField): string {
  switch (field.fieldKind) {
    case "list":
      return `list of ${elementOf(field)}`;
    case "map":
      return `map from ${ScalarType[field.mapKey].toLowerCase()} to ${elementOf(field)}`;
    case "scalar":
    case "enum":
    case "message": {
      const isOptional = field.proto.proto3Optional && field.fieldKind !== "message";
      return `${isOptional ? "optional " : ""}${elementOf(field)}`;
    }
    default:
      return field satisfies never;
  }
}

function elementOf({ enum: enumType, message, scalar }: DescField): string {
  if (message !== undefined) return linkTo(message);
  if (enumType !== undefined) return linkTo(enumType);
  return scalar === undefined ? "" : ScalarType[scalar].toLowerCase();
}

/** Name within its package: nested types have the name of the message around them. */
function titleOf({ typeName, file }: Described): string {
  return typeName.slice(file.proto.package.length + 1);
}

function linkTo(type: Described): string {
  if (!type.typeName.startsWith("dragoman.")) return `\`${type.typeName}\``;
  return `[${titleOf(type)}](#${titleOf(type).toLowerCase().replaceAll(".", "")})`;
}

type Commented = Parameters<typeof getComments>[0];

function commentOf(type: Commented): string {
  const { leading = "" } = getComments(type);
  if (leading.trim() === "") throw new Error(`${type.toString()} has no comment; write one in the proto`);
  const lines = leading.trimEnd().split("\n");
  return lines.map((line) => escaped(line.replace(/^ /, ""))).join("\n");
}

/** Text outside of code, without what Markdown takes for tags. */
function escaped(line: string): string {
  return line.replaceAll(/`[^`]*`|[<>]/g, (part) => (part === "<" ? "&lt;" : part === ">" ? "&gt;" : part));
}

/** A comment in one cell of a table. */
function cell(comment: string): string {
  const paragraphs = comment.split(/\n\s*\n/).map((paragraph) => paragraph.replaceAll(/\n- /g, "<br>- "));
  return paragraphs
    .map((paragraph) => paragraph.replaceAll("\n", " "))
    .join("<br><br>")
    .replaceAll("|", "\\|");
}
