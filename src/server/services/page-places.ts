import { hash } from "node:crypto";
import { type DescMessage, type MessageShape, toBinary } from "@bufbuild/protobuf";
import { makePageToken, readPageToken, wrongPageToken } from "../../page.ts";

/** Request for a page of a list that a database sorts. */
type PagedRequest<Desc extends DescMessage> = MessageShape<Desc> & { pageSize: number; pageToken: string };

/** Place at which a page ends: numbers, such as times, then texts. */
export interface Place {
  readonly numbers: readonly number[];
  readonly texts: readonly string[];
}

/**
 * Creates the token of the page that follows a place. It is valid only for requests that equal this one in all but the
 * page: for another one, rows would be skipped.
 */
export function makePlaceToken<Desc extends DescMessage>(
  schema: Desc,
  request: PagedRequest<Desc>,
  { numbers, texts }: Place,
): string {
  return makePageToken(JSON.stringify([printOf(schema, request), numbers, texts]));
}

/** Returns the place in the page token of a request. Undefined: the first page. Throws INVALID_REQUEST. */
export function readPlaceToken<Desc extends DescMessage>(
  schema: Desc,
  request: PagedRequest<Desc>,
  method: string,
): Place | undefined {
  if (request.pageToken === "") return undefined;
  const [print, numbers, texts] = parse(readPageToken(request.pageToken, method));
  const isPlace =
    Array.isArray(numbers) && numbers.every(Number.isSafeInteger) && Array.isArray(texts) && texts.every(isText);
  if (isPlace && print === printOf(schema, request)) return { numbers, texts };
  throw wrongPageToken(`is of another request; repeat the ${method} request that returned it, with this page_token`);
}

function parse(text: string): readonly unknown[] {
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) ? value : [];
  } catch {
    return [];
  }
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}

/** Fingerprint of a request without its page. */
function printOf<Desc extends DescMessage>(schema: Desc, request: PagedRequest<Desc>): string {
  const bytes = toBinary(schema, { ...request, pageSize: 0, pageToken: "" });
  return hash("sha256", bytes, "base64url").slice(0, 12);
}
