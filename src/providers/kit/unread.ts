import type { Warning } from "../../gen/dragoman/v1/warning_pb.js";
import { omission } from "./metadata.ts";

/** Maximum warnings about one response. */
const mostWarnings = 16;

/** Collects what a response contains that this version does not know, as warnings for the event `completed`. */
export class Unread {
  readonly #places = new Map<string, string>();

  /**
   * Adds content that Dragoman omits. Each kind causes one warning, which names its first place.
   *
   * @param what its type in the provider's spelling
   * @param place where it is in the response
   */
  add(what: string, place: string): void {
    if (this.#places.size < mostWarnings && !this.#places.has(what)) this.#places.set(what, place);
  }

  get warnings(): Warning[] {
    return Array.from(this.#places, ([what, place]) =>
      omission(`${what.slice(0, 64)} in ${place}`, "this version cannot read it"),
    );
  }
}
