import { hash } from "node:crypto";
import { type DescMessage, type MessageShape, toBinary } from "@bufbuild/protobuf";
import { isInRange } from "../../config/times.ts";
import { makePageToken, readPageToken, wrongPageToken } from "../../page.ts";

/** Request for a page of a list that a database sorts. */
type PagedRequest<Desc extends DescMessage> = MessageShape<Desc> & { pageSize: number; pageToken: string };

/** Place at which a page ends: times in ms since 1970, then texts. */
export interface Place {
  readonly times: readonly number[];
  readonly texts: readonly string[];
}

/**
 * Creates the token of the page that follows a place. It is valid only for requests that equal this one in all but the
 * page: for another one, rows would be skipped.
 */
export function makePlaceToken<Desc extends DescMessage>(
  schema: Desc,
  request: PagedRequest<Desc>,
  { times, texts }: Place,
): string {
  return makePageToken(JSON.stringify([printOf(schema, request), times, texts]));
}

/** Returns the place in the page token of a request. Undefined: the first page. Throws INVALID_REQUEST. */
export function readPlaceToken<Desc extends DescMessage>(
  schema: Desc,
  request: PagedRequest<Desc>,
  method: string,
): Place | undefined {
  if (request.pageToken === "") return undefined;
  const [print, times, texts] = parse(readPageToken(request.pageToken, method));
  const isPlace = Array.isArray(times) && times.every(isTimeMs) && Array.isArray(texts) && texts.every(isText);
  if (isPlace && print === printOf(schema, request)) return { times, texts };
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

/** Anybody can make a token. */
function isTimeMs(value: unknown): value is number {
  return Number.isSafeInteger(value) && isInRange(Number(value));
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}

/** Fingerprint of a request without its page. */
function printOf<Desc extends DescMessage>(schema: Desc, request: PagedRequest<Desc>): string {
  const bytes = toBinary(schema, { ...request, pageSize: 0, pageToken: "" });
  return hash("sha256", bytes, "base64url").slice(0, 12);
}
