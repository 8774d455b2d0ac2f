import type { Model } from "../gen/dragoman/v1/model_pb.js";
import { limitPageSize, makePageToken, readPageToken } from "../page.ts";

interface Page<Item> {
  readonly items: readonly Item[];
  /** Empty on the last page. */
  readonly nextPageToken: string;
}

/** How to read the pages of a list. */
interface PageRequest {
  /** Maximum number of items. 0 means 50; values above 1000 mean 1000. */
  readonly pageSize: number;
  /** Empty for the first page. */
  readonly pageToken: string;
}

/** Returns one page of models, which must be ordered by id. */
export function paginate(models: readonly Model[], pageSize: number, pageToken: string) {
  const { items, nextPageToken } = paginateBy(models, ({ id }) => id, { pageSize, pageToken }, "ListModels");
  return { models: items, nextPageToken };
}

/**
 * Returns one page of items, which must be ordered by a unique name (AIP-158). Throws INVALID_REQUEST for a negative
 * size or an invalid token.
 *
 * A page token contains the last name of the page before it. So if the list changes between pages, no item is skipped
 * or repeated.
 *
 * @param method method that returns the page, for the error
 */
export function paginateBy<Item>(
  items: readonly Item[],
  nameOf: (item: Item) => string,
  { pageSize, pageToken }: PageRequest,
  method: string,
): Page<Item> {
  const size = limitPageSize(pageSize);
  const last = pageToken === "" ? undefined : readPageToken(pageToken, method);
  const next = last === undefined ? 0 : items.findIndex((item) => nameOf(item) > last);
  const begin = next < 0 ? items.length : next;
  const page = items.slice(begin, begin + size);
  const final = page.at(-1);
  const more = final !== undefined && begin + size < items.length;
  return { items: page, nextPageToken: more ? makePageToken(nameOf(final)) : "" };
}
