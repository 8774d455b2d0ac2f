import { ConnectError, createClient } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport } from "@connectrpc/connect-node";
import { describe, expect, it } from "vitest";
import { ChatService } from "../../src/gen/dragoman/v1/chat_service_pb.js";
import { UsageQuality } from "../../src/gen/dragoman/v1/usage_pb.js";
import { ErrorInfoSchema } from "../../src/gen/google/rpc/error_details_pb.js";
import { startConfigured } from "../support/configured-process.ts";
import { startProcess } from "../support/process.ts";
import { ask } from "../support/requests.ts";

// Each of these prompts alone takes the counting thread the longest time that it may: 24 of them take it 48 s.
it("a flood of prompts that are slow to count delays neither itself nor a short prompt", async () => {
  await using service = await startProcess({ OPENAI_API_KEY: "none" });
  const client = createClient(
    ChatService,
    createConnectTransport({ baseUrl: `http://${service.httpAddress}`, httpVersion: "1.1" }),
  );
  const large = ask("openai/gpt-4o", "天".repeat(2_000_000));
  const reasonOf = (error: unknown) => ConnectError.from(error).findDetails(ErrorInfoSchema)[0]?.reason;
  const flood = Array.from({ length: 24 }, () => client.planChat({ chat: large }).then(() => "planned", reasonOf));
  await Promise.race(flood);
  const plan = await client.planChat({ chat: ask("openai/gpt-4o", "hello") });
  expect(plan.inputTokensQuality).toBe(UsageQuality.EXACT);
  expect(new Set(await Promise.all(flood))).toEqual(new Set(["CONTEXT_LENGTH_EXCEEDED"]));
}, 40_000);

it("a long prompt of one account is counted in turn with the slow prompts of another", async () => {
  const limits = "{ max_counting_queue: 6000000, max_counting_work: 250ms, max_counting_time: 1m }";
  await using service = await startConfigured(`limits: ${limits}`, { OPENAI_API_KEY: "none" });
  const client = createClient(ChatService, createGrpcTransport({ baseUrl: `http://${service.grpcAddress}` }));
  // Each takes the counting thread the longest time that it may, and ten of them may wait.
  const slow = ask("openai/gpt-4o", "天".repeat(300_000), { accountId: "a" });
  const order: string[] = [];
  const flood = Array.from({ length: 12 }, () => client.planChat({ chat: slow }).catch(() => order.push("a")));
  // The one that finds the queue of its account full, or the one that is counted first.
  await Promise.race(flood);
  const long = ask("openai/gpt-4o", "hello ".repeat(20_000), { accountId: "b" });
  const plan = await client.planChat({ chat: long });
  order.push("b");
  expect(plan.inputTokensQuality).toBe(UsageQuality.EXACT);
  await Promise.all(flood);
  expect(order.at(-1)).toBe("a");
}, 40_000);

describe("beyond a bound on token counting, a count is an estimate", () => {
  // Takes several times as long to count as the thread works at a time.
  const word = (index: number) => String.fromCharCode(...[1, 7, 11, 3].map((step) => 97 + ((index * step) % 25)));
  const words = Array.from({ length: 40_000 }, (_, index) => word(index)).join(" ");
  it.each([
    ["limits: { max_counting_queue: 10KiB }", "hello ".repeat(1000), UsageQuality.ESTIMATED],
    ["limits: { max_counting_queue: 12000 }", "hello ".repeat(990), UsageQuality.EXACT],
    ["limits: { max_counting_work: 1ms }", words, UsageQuality.ESTIMATED],
    ["limits: { max_counting_time: 1ms }", words, UsageQuality.ESTIMATED],
    ["limits: { max_counting_work: 1m, max_counting_time: 1m }", words, UsageQuality.EXACT],
  ])("%s", async (yaml, text, quality) => {
    await using service = await startConfigured(yaml, { OPENAI_API_KEY: "none" });
    const client = createClient(ChatService, createGrpcTransport({ baseUrl: `http://${service.grpcAddress}` }));
    const { inputTokensQuality } = await client.planChat({ chat: ask("openai/gpt-4o", text) });
    expect(inputTokensQuality).toBe(quality);
  });
});
