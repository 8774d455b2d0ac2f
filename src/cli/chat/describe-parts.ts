import type { Citation } from "../../gen/dragoman/v1/citation_pb.js";
import type { Choice } from "../../gen/dragoman/v1/completion_pb.js";
import type { Media } from "../../gen/dragoman/v1/media_pb.js";
import { printable } from "../table.ts";

/** Returns the text of a choice. */
export function textOf({ message }: Choice): string {
  return (message?.parts ?? []).map(({ kind }) => (kind.case === "text" ? kind.value : "")).join("");
}

/** Describes media of the model, which a terminal cannot show. */
export function describeMedia({ mediaType, source, transcript }: Media): string {
  const place = source.case === "url" ? source.value : source.case === "fileId" ? `file ${source.value}` : "";
  const size = source.case === "data" ? `${source.value.length} bytes; --json prints them` : place;
  const text = transcript === "" ? "" : `: ${transcript}`;
  return printable(`media ${mediaType || "of unknown type"} (${size})${text}`);
}

/** Describes the source of a citation. Empty if it has none. */
export function describeSource({ source }: Citation): string {
  switch (source.case) {
    case "url":
      return [source.value.title, source.value.url].filter((text) => text !== "").join(" ");
    case "document":
      return source.value.title || source.value.fileId || `document ${source.value.documentIndex ?? ""}`.trim();
    case "searchResult":
      return [source.value.title, source.value.source].filter((text) => text !== "").join(" ");
    case undefined:
      return "";
    default:
      return source satisfies never;
  }
}
