/** Fields of a request for a page. */
interface PageRequest {
  readonly pageSize: number;
  readonly pageToken: string;
}

interface Page<Item> {
  readonly items: readonly Item[];
  readonly nextPageToken: string;
}

/** Reads all pages of a list. */
export async function allPages<Item>(read: (request: PageRequest) => Promise<Page<Item>>): Promise<readonly Item[]> {
  const all: Item[] = [];
  let pageToken = "";
  do {
    const { items, nextPageToken } = await read({ pageSize: 1000, pageToken });
    for (const item of items) all.push(item);
    pageToken = nextPageToken;
  } while (pageToken !== "");
  return all;
}
