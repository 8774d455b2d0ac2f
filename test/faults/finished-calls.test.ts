import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { expect, it, onTestFinished } from "vitest";
import { ChatService } from "../../src/gen/dragoman/v1/chat_service_pb.js";
import { answers, startChatUpstream } from "../support/chat-upstream.ts";
import { startProcess } from "../support/process.ts";
import { ask } from "../support/requests.ts";

const calls = 3_000;
const atOnce = 4;
/** Collections of the young generation at the end of the run that count: then most code is compiled. */
const counted = 40;

interface Collection {
  readonly isFull: boolean;
  readonly beforeMb: number;
  readonly afterMb: number;
}

/** Reads the output of `--trace-gc` of the thread with the largest heap. */
function collectionsIn(output: string): readonly Collection[] {
  const threads = Map.groupBy(
    output.matchAll(/:(0x[\da-f]+)\].*?(Scavenge|Mark-Compact)\b.*? ([\d.]+) \([\d.]+\) -> ([\d.]+) /g),
    ([, thread = ""]) => thread,
  );
  const all = [...threads.values()].map((lines) =>
    lines.map(([, , kind, before, after]) => ({
      isFull: kind === "Mark-Compact",
      beforeMb: Number(before),
      afterMb: Number(after),
    })),
  );
  const heapOf = (of: readonly Collection[]): number => Math.max(...of.map(({ beforeMb }) => beforeMb));
  return all.toSorted((a, b) => heapOf(b) - heapOf(a))[0] ?? [];
}

/** Share of what was allocated that young collections left. */
function keptShare(collections: readonly Collection[]): number {
  let [allocated, kept] = [0, 0];
  for (const [index, { isFull, beforeMb, afterMb }] of collections.entries()) {
    const former = collections[index - 1];
    if (isFull || former === undefined) continue;
    allocated += beforeMb - former.afterMb;
    kept += afterMb - former.afterMb;
  }
  return kept / allocated;
}

it("frees finished calls in collections of the young generation", { timeout: 120_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), "dragoman-collections-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const output = join(folder, "output");
  await using upstream = await startChatUpstream(answers("The answer."));
  const environment = { OPENAI_BASE_URL: upstream.baseUrl, OPENAI_API_KEY: "key", DRAGOMAN_LOG_LEVEL: "warn" };
  const file = openSync(output, "w");
  onTestFinished(() => closeSync(file));
  await using service = await startProcess(environment, ["--trace-gc", "--max-semi-space-size=4"], file);
  const client = createClient(ChatService, createGrpcTransport({ baseUrl: `http://${service.grpcAddress}` }));
  let left = calls;
  const caller = async (): Promise<void> => {
    while (left-- > 0) await client.completeChat({ chat: ask("openai/gpt-5-mini", "A question.") });
  };
  await Promise.all(Array.from({ length: atOnce }, caller));
  const collections = collectionsIn(readFileSync(output, "utf8"));
  expect(collections.length).toBeGreaterThan(counted);
  expect(keptShare(collections.slice(-counted))).toBeLessThan(0.1);
});
