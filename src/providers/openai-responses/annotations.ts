import { z } from "zod";
import type { TextPositions } from "../../chat/stream/text-positions.ts";
import type { Citation } from "../../gen/dragoman/v1/citation_pb.js";
import type { UpstreamCall } from "../../upstream/upstream-call.ts";
import { citation, documentCitation, urlCitation } from "../kit/citations.ts";
import { stateOf } from "../kit/provider-state.ts";

const text = z.string().nullish().catch(undefined);
const position = z.number().int().nonnegative().nullish().catch(undefined);

/** Members of the annotations of openai 7.55.0. Positions are in characters. */
const annotationSchema = z.object({
  type: text,
  url: text,
  title: text,
  file_id: text,
  filename: text,
  start_index: position,
  end_index: position,
});

/** A citation, and whether its place is not in the text so far. */
interface Read {
  readonly citation: Citation;
  readonly isEarly: boolean;
}

/**
 * Converts an annotation. Its provider state is the annotation itself, which the next request sends back.
 *
 * @param json the annotation as the API sent it
 */
export function toCitation(json: string, positions: TextPositions, call: UpstreamCall): Read {
  const known = annotationSchema.safeParse(JSON.parse(json)).data ?? {};
  const { start_index: start, end_index: end }: Partial<z.infer<typeof annotationSchema>> = known;
  const range = positions.toBytes(start ?? -1, end ?? -1);
  const place = { range, state: stateOf(call, Buffer.from(json)) };
  return { citation: citationOf(known, place), isEarly: range === undefined && (start ?? 0) < (end ?? 0) };
}

function citationOf(
  { type, url, title, file_id, filename }: Partial<z.infer<typeof annotationSchema>>,
  place: Parameters<typeof citation>[1],
): Citation {
  switch (type) {
    case "url_citation":
      return urlCitation(url ?? "", title, place);
    case "file_citation":
    case "container_file_citation":
    case "file_path":
      return documentCitation(filename, file_id ?? "", place);
    default:
      return citation({ case: undefined }, place);
  }
}
