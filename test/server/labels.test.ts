import { ConnectError } from "@connectrpc/connect";
import { expect, it } from "vitest";
import { ask } from "../support/requests.ts";
import { protocols, startTestService } from "../support/service.ts";

it.each(protocols)("records the labels of a call over %s", async (protocol) => {
  await using stack = new AsyncDisposableStack();
  const service = await startTestService();
  stack.defer(() => service.stop());
  const labels = { team: "search", feature: "" };
  await service.chatClient(protocol).completeChat({ chat: ask("echo/echo", "hi", { labels }) });
  expect(await service.nextRecord()).toMatchObject({ outcome: "ok", labels });
});

it("records at most 16 labels of 512 characters of a request that is rejected for its labels", async () => {
  await using stack = new AsyncDisposableStack();
  const service = await startTestService();
  stack.defer(() => service.stop());
  const labels = Object.fromEntries(
    Array.from({ length: 40 }, (_, index) => [`n${index}`.repeat(400), "v".repeat(999)]),
  );
  const chat = ask("echo/echo", "hi", { labels });
  const failure = service.chatClient("grpc").completeChat({ chat });
  await expect(failure).rejects.toThrow(ConnectError);
  const recorded = Object.entries((await service.nextRecord()).labels);
  expect(recorded).toHaveLength(16);
  expect(new Set(recorded.flatMap((entry) => entry.map(({ length }) => length)))).toEqual(new Set([512]));
});
