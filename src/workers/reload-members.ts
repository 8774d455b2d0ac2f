import type { Log } from "../telemetry/log.ts";
import { fromSent } from "../thread/messages.ts";
import type { Member } from "./member.ts";
import type { AppliedReply, ReloadReply } from "./messages.ts";
import { modelsWorker } from "./worker-variable.ts";

/**
 * Lets one worker read the configuration again, and, unless it rejects it, all others. One that starts meanwhile reads
 * it when it is ready. Returns what has changed, or why nothing has.
 */
export async function reloadMembers(all: Iterable<Member>, log: Log): Promise<ReloadReply> {
  const members = new Set([...all].sort((a, b) => Number(b.isReady) - Number(a.isReady)));
  let first: ReloadReply | undefined;
  for (const member of members) {
    if (member.slot === modelsWorker) continue;
    members.delete(member);
    first = await member.reload();
    if (first !== undefined) break;
  }
  if (first === undefined) throw new Error("all workers have ended; each reads the configuration when it starts");
  if (!("reloaded" in first)) return first;
  const applied: AppliedReply[] = [first];
  await Promise.all(
    [...members].map(async (member) => {
      const reply = await member.reload();
      if (reply === undefined) return;
      if ("reloaded" in reply) {
        applied.push(reply);
        return;
      }
      // The file has changed once more. Another reload follows.
      const why = "problems" in reply ? { mistakes: reply.problems } : { err: fromSent(reply.error) };
      log.error({ worker: member.slot, ...why }, "a worker keeps its former configuration");
    }),
  );
  // A worker that has started since the file changed has no changes.
  const { reloaded } = applied.reduce((most, reply) => (countOf(reply) > countOf(most) ? reply : most));
  return { ...first, reloaded };
}

function countOf({ reloaded }: AppliedReply): number {
  return reloaded.changes.keys.length;
}
