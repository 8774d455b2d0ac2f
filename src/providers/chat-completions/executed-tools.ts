import { z } from "zod";
import { type ChatEvent, serverToolCallDelta, serverToolResultDelta } from "../../chat/stream/events.ts";
import type { UpstreamCall } from "../../upstream/upstream-call.ts";
import { stateOf } from "../kit/provider-state.ts";

const text = z.string().nullish().catch(undefined);

/** Groq's entry of `executed_tools`. Its result is in `output` and other fields, which depend on the type. */
const executedTool = z.looseObject({
  type: z.string(),
  index: z.number().int().nonnegative().nullish().catch(undefined),
  name: text,
  arguments: text,
});

/** Maximum length of a tool's name in the contract. */
const longestName = 128;

/** Converts the tools that a server ran for one choice. A stream sends each tool again when it has the result. */
export class ExecutedTools {
  readonly #call: UpstreamCall;
  readonly #choiceIndex: number;
  readonly #newPart: () => number;
  readonly #called = new Set<number>();
  readonly #returned = new Set<number>();

  constructor(call: UpstreamCall, choiceIndex: number, newPart: () => number) {
    this.#call = call;
    this.#choiceIndex = choiceIndex;
    this.#newPart = newPart;
  }

  /** Reads an entry. Returns false if it is none. `place` is its index in the list. */
  read(value: unknown, place: number, batch: ChatEvent[]): boolean {
    const parsed = executedTool.safeParse(value);
    if (!parsed.success) return false;
    const { type, index, name, arguments: input, ...rest } = parsed.data;
    const key = index ?? place;
    const result = Object.fromEntries(
      Object.entries(rest).filter(([, field]) => field !== null && field !== undefined),
    );
    if (!this.#called.has(key)) {
      this.#called.add(key);
      const tool = (name || type).slice(0, longestName).toWellFormed();
      batch.push(this.#ours(serverToolCallDelta(this.#choiceIndex, this.#newPart(), input ?? "", "", tool)));
    }
    if (Object.keys(result).length > 0 && !this.#returned.has(key)) {
      this.#returned.add(key);
      batch.push(this.#ours(serverToolResultDelta(this.#choiceIndex, this.#newPart(), JSON.stringify(result))));
    }
    return true;
  }

  /** Marks a part as made by this provider: no other one accepts it. */
  #ours<Event extends ReturnType<typeof serverToolCallDelta>>(event: Event): Event {
    event.value.providerState = stateOf(this.#call, new Uint8Array());
    return event;
  }
}
