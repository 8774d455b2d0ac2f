import { configurationPage } from "./configuration-page.ts";
import { contractPage } from "./contract-page.ts";

/** Returns the text of each page of docs/reference, by its path. `descriptors`: the contents of descriptors.binpb. */
export function referencePages(descriptors: Uint8Array): ReadonlyMap<string, string> {
  return new Map([
    ["docs/reference/configuration.md", configurationPage()],
    ["docs/reference/contract.md", contractPage(descriptors)],
  ]);
}
