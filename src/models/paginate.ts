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
 * One page of models that are ordered by id (AIP-158). A size of 0 means 50, above 1000 means 1000. A token holds the
 * last id that was given out, so that a catalog that has changed in between neither skips nor repeats a model.
 * A negative size or a token that was not made here is INVALID_REQUEST.
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
  // Buffer ignores what is not base64, so only a token that comes out the same again was made here.
  if (text.startsWith(version) && makeToken(text.slice(version.length)) === token) return text.slice(version.length);
  throw invalidRequest([
    { root: "message", field: ["page_token"], description: "is not a next_page_token of this service" },
  ]);
}
