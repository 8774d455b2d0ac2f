import { type GatewayError, invalidRequest } from "./errors.ts";

const defaultSize = 50;
const largestSize = 1000;

/** Returns the number of items of a page (AIP-158): 0 means 50, and values above 1000 mean 1000. Throws INVALID_REQUEST. */
export function limitPageSize(requested: number): number {
  if (requested < 0)
    throw invalidRequest([{ root: "message", field: ["page_size"], description: "must not be negative" }]);
  return Math.min(requested || defaultSize, largestSize);
}

const version = "1:";

/** Creates a page token from the place at which the page ends. */
export function makePageToken(place: string): string {
  return Buffer.from(version + place).toString("base64url");
}

/**
 * Returns the place in a page token. Throws INVALID_REQUEST for a text that is no token.
 *
 * @param method method that returns the page, for the error
 */
export function readPageToken(token: string, method: string): string {
  const text = Buffer.from(token, "base64url").toString();
  // Buffer ignores characters that are not base64. A token is valid only if encoding its place again gives the same text.
  const place = text.slice(version.length);
  if (text.startsWith(version) && makePageToken(place) === token) return place;
  throw wrongPageToken(`must be empty or a next_page_token from ${method}`);
}

export function wrongPageToken(description: string): GatewayError {
  return invalidRequest([{ root: "message", field: ["page_token"], description }]);
}
