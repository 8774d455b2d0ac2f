import { Metadata } from "@grpc/grpc-js";

type Fields = Readonly<Record<string, number | string | readonly string[] | undefined>>;

/**
 * Response headers or trailers in the form in which HTTP/2 sends them: `-bin` values are base64 without padding, as the
 * protocol recommends, while Metadata adds padding. Also marks the statuses that Dragoman created.
 */
export class RawMetadata extends Metadata {
  readonly #fields: Fields;

  constructor(fields: Fields) {
    super();
    this.#fields = fields;
  }

  override toHttp2Headers(): ReturnType<Metadata["toHttp2Headers"]> {
    // The cast is safe: grpc-js only adds these fields to those that it passes to Node.js.
    return this.#fields as ReturnType<Metadata["toHttp2Headers"]>;
  }

  /** grpc-js clones trailers before it sends them. The fields do not change. */
  override clone(): RawMetadata {
    return this;
  }
}

/** Converts headers to fields. Several headers with one name become a list. */
export function toFields(headers: Iterable<readonly [name: string, value: string]>): Record<string, string | string[]> {
  const fields: Record<string, string | string[]> = {};
  for (const [name, value] of headers) {
    const known = fields[name];
    fields[name] = known === undefined ? value : [known, value].flat();
  }
  return fields;
}

/** Removes the `grpc-message: OK` that grpc-js sends on success. */
const noMessage = { "grpc-message": undefined };

/** Trailers of a success without further fields. */
export const plainTrailers = new RawMetadata(noMessage);

/** Creates the trailers of a success. */
export function successTrailers(trailers: Iterable<readonly [name: string, value: string]>): RawMetadata {
  return new RawMetadata({ ...noMessage, ...toFields(trailers) });
}
