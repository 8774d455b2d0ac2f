import { joinStates } from "../../chat/stream/fold.ts";
import type { Citation } from "../../gen/dragoman/v1/citation_pb.js";
import type { ProviderState } from "../../gen/dragoman/v1/provider_state_pb.js";
import { hasAnnotation } from "./message-item.ts";
import { encodeReferences, keyText, type PartInit } from "./opaque.ts";

/** What the item of a part has no field for. */
interface PartFacts {
  readonly states: ProviderState[];
  readonly citations: Citation[];
  /** Returns the kind of the reference to the part. Unset: the part has no item of its own. */
  key?: () => PartInit["kind"];
}

/** Provider state and citations of the parts of a choice, which the client sends back in one reasoning item. */
export class References {
  readonly #facts = new Map<number, PartFacts>();

  of(part: number): PartFacts {
    const facts = this.#facts.get(part) ?? { states: [], citations: [] };
    this.#facts.set(part, facts);
    return facts;
  }

  /**
   * Returns `encrypted_content` with the references. Undefined: no part needs one. Parts with the same key get a reference
   * each, so that their order tells which is which.
   */
  encode(): string | undefined {
    if (!this.#facts.values().some(needsReference)) return undefined;
    const keyed = [...this.#facts.values()].flatMap((facts) => {
      const kind = facts.key?.();
      return kind ? [{ facts, kind, key: keyText(kind) }] : [];
    });
    const needed = new Set(keyed.flatMap(({ facts, key }) => (needsReference(facts) ? [key] : [])));
    const references = keyed.flatMap(({ facts: { states, citations }, kind, key }) => {
      const providerState = joinStates(states);
      return needed.has(key) ? [{ kind, citations, ...(providerState && { providerState }) }] : [];
    });
    return references.length > 0 ? encodeReferences(references) : undefined;
  }
}

/** Annotations have all that a provider needs back of a citation, except its state. */
function needsReference({ states, citations }: PartFacts): boolean {
  return (
    states.length > 0 ||
    citations.some(({ source, providerState }) => providerState !== undefined || !hasAnnotation(source))
  );
}
