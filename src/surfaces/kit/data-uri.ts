import type { MessageInitShape } from "@bufbuild/protobuf";
import { dataOfUri } from "../../data-uri.ts";
import type { Media, MediaSchema } from "../../gen/dragoman/v1/media_pb.js";

export { decodeBase64 } from "../../data-uri.ts";

type Source = Pick<Exclude<MessageInitShape<typeof MediaSchema>, Media>, "source" | "mediaType">;

/**
 * Returns the source of an image, audio or document for its URL. Decodes `data:` URIs, since some providers do not
 * support them. Other URLs stay URLs.
 */
export function mediaSource(address: string): Source {
  const found = dataOfUri(address);
  if (found === undefined) return { source: { case: "url", value: address } };
  return { source: { case: "data", value: found.data }, mediaType: found.mediaType || "text/plain" };
}
