import { invalidRequest } from "../errors.ts";
import type { Model } from "../gen/dragoman/v1/model_pb.js";

const defaultSize = 50;
const largestSize = 1000;

interface Page {
  readonly models: readonly Model[];
  /** Empty on the last page. */
  readonly nextPageToken: string;
}

/**
 * Returns one page of models, which must be ordered by id (AIP-158). Throws INVALID_REQUEST for a negative size or an
 * invalid token.
 *
 * A page token contains the last id of the page before it. So if the catalog changes between pages, no model is skipped
 * or repeated.
 *
 * @param pageSize 0 means 50; values above 1000 mean 1000
 * @param pageToken empty for the first page
 */
export function paginate(models: readonly Model[], pageSize: number, pageToken: string): Page {
  if (pageSize < 0)
    throw invalidRequest([{ root: "message", field: ["page_size"], description: "must not be negative" }]);
  const size = Math.min(pageSize || defaultSize, largestSize);
  const last = pageToken === "" ? undefined : readToken(pageToken);
  const next = last === undefined ? 0 : models.findIndex(({ id }) => id > last);
  const begin = next < 0 ? models.length : next;
  const page = models.slice(begin, begin + size);
  const final = page.at(-1);
  const more = final !== undefined && begin + size < models.length;
  return { models: page, nextPageToken: more ? makeToken(final.id) : "" };
}

const version = "1:";

function makeToken(lastId: string): string {
  return Buffer.from(version + lastId).toString("base64url");
}

function readToken(token: string): string {
  const text = Buffer.from(token, "base64url").toString();
  // Buffer ignores characters that are not base64. A token is valid only if encoding its id again gives the same text.
  if (text.startsWith(version) && makeToken(text.slice(version.length)) === token) return text.slice(version.length);
  throw invalidRequest([
    { root: "message", field: ["page_token"], description: "must be empty or a next_page_token from ListModels" },
  ]);
}
