import { z } from "zod";
import type { ReasoningDetail } from "../../chat/stream/reasoning-details.ts";
import { parseBounded } from "../../chat/validation/json-bounds.ts";
import { invalidRequest } from "../../errors.ts";

const detailList = z.array(z.record(z.string(), z.unknown()));

/** Decodes the details of a turn. Merges those of a stream's deltas into what a response without streaming has. */
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

/** Fields whose text a stream splits over several deltas. Encrypted data is always in one delta. */
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
    return detailList.parse(parseBounded(line));
  } catch {
    const description = "contains a modified provider_state; send it back unchanged";
    throw invalidRequest([{ field: ["messages"], description }]);
  }
}
