import { ConnectError, createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import { expect, it } from "vitest";
import { ChatService } from "../../src/gen/dragoman/v1/chat_service_pb.js";
import { UsageQuality } from "../../src/gen/dragoman/v1/usage_pb.js";
import { ErrorInfoSchema } from "../../src/gen/google/rpc/error_details_pb.js";
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
