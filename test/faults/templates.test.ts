import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { describe, expect, it } from "vitest";
import { ChatService } from "../../src/gen/dragoman/v1/chat_service_pb.js";
import { startConfigured } from "../support/configured-process.ts";
import { ask } from "../support/requests.ts";

const endless = "{% for i in range(100000) %}{% for j in range(100000) %}{{ i }}{% endfor %}{% endfor %}";

/**
 * Sends endless templates of account a and then short ones of account b, all over one connection. Returns the accounts
 * in the order of their answers.
 */
async function answersUnder(limits: string): Promise<readonly string[]> {
  await using service = await startConfigured(limits, { LLM_ENGINE_API_KEY: "none" });
  const client = createClient(ChatService, createGrpcTransport({ baseUrl: `http://${service.grpcAddress}` }));
  const render = (accountId: string, chatTemplate: string) =>
    client.planChat({ chat: ask("llm-engine/llama-3-8b-instruct", "hi", { accountId, chatTemplate }) });
  // Starts the processes, so that b's template waits for nothing but a's.
  await Promise.all(["x", "y", "z"].map((account) => render(account, "{{ messages[0].content }}")));
  const order: string[] = [];
  const flood = Array.from({ length: 8 }, () => render("a", endless).catch(() => order.push("a")));
  for (let call = 0; call < 3; call++) {
    expect((await render("b", "{{ messages[0].content }}")).renderedPrompt).toBe("hi");
    order.push("b");
  }
  await Promise.all(flood);
  return order;
}

describe("endless templates of one account", () => {
  it("delay no template of another account", async () => {
    expect((await answersUnder("{}")).slice(0, 3)).toEqual(["b", "b", "b"]);
  }, 20_000);

  it.each([
    "limits: { max_template_processes: 2 }",
    "limits: { max_template_processes_per_account: 3 }",
  ])("delay others if one account may take all processes: %s", async (limits) => {
    expect((await answersUnder(limits))[0]).toBe("a");
  }, 20_000);
});

it("the log names the queue for chat templates if it is full", async () => {
  await using service = await startConfigured("limits: { max_template_processes: 1 }", { LLM_ENGINE_API_KEY: "none" });
  const client = createClient(ChatService, createGrpcTransport({ baseUrl: `http://${service.grpcAddress}` }));
  const cancel = new AbortController();
  const chat = ask("llm-engine/llama-3-8b-instruct", "hi", { chatTemplate: endless });
  const calls = Array.from({ length: 40 }, () => client.planChat({ chat }, { signal: cancel.signal }));
  const ended = Promise.allSettled(calls);
  await service.logged("rejected because of overload");
  expect(service.log.find(({ msg }) => msg === "rejected because of overload")).toMatchObject({
    reason: "QUEUE_FULL",
    bound: "queue for chat templates",
  });
  cancel.abort();
  await ended;
});
