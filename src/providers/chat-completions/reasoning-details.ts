import { z } from "zod";
import { invalidRequest } from "../../errors.ts";

/**
 * One entry of OpenRouter's `reasoning_details`: text, a summary or encrypted reasoning. It goes back with the turn that
 * it came with, as it is. https://openrouter.ai/docs/use-cases/reasoning-tokens
 */
export type ReasoningDetail = Readonly<Record<string, unknown>>;

const detailList = z.array(z.record(z.string(), z.unknown()));

/** The details of one delta as opaque state. The states of several deltas concatenate. */
export function encodeDetails(details: readonly ReasoningDetail[]): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify(details)}\n`);
}

/** The details of a turn. In a stream they come in fragments, which are joined to what a whole answer would hold. */
export function decodeDetails(state: Uint8Array): readonly ReasoningDetail[] {
  const joined: ReasoningDetail[] = [];
  for (const line of Buffer.from(state).toString().split("\n")) {
    if (line === "") continue;
    const before = joined.length;
    for (const detail of parseDetails(line)) {
      const last = joined[before - 1];
      if (joined.length === before && last !== undefined && continues(last, detail)) {
        joined[before - 1] = join(last, detail);
      } else {
        joined.push(detail);
      }
    }
  }
  return joined;
}

/** What grows: encrypted data comes whole. */
const growing = ["text", "summary"];

function continues(last: ReasoningDetail, next: ReasoningDetail): boolean {
  const isGrowing = growing.some((field) => typeof last[field] === "string" || typeof next[field] === "string");
  return isGrowing && last.type === next.type && last.index === next.index && (next.id ?? last.id) === last.id;
}

function join(last: ReasoningDetail, next: ReasoningDetail): ReasoningDetail {
  const joined: Record<string, unknown> = { ...last };
  for (const [field, value] of Object.entries(next)) {
    const known = last[field];
    if (growing.includes(field) && typeof known === "string" && typeof value === "string")
      joined[field] = known + value;
    else if (value !== null) joined[field] = value;
  }
  return joined;
}

function parseDetails(line: string): readonly ReasoningDetail[] {
  try {
    return detailList.parse(JSON.parse(line));
  } catch {
    const description = "holds a provider_state that is not as it was given: send it back unchanged";
    throw invalidRequest([{ field: ["messages"], description }]);
  }
}
