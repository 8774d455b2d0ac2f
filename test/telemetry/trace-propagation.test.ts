import { describe, expect, it, onTestFinished } from "vitest";
import { answers, startChatUpstream } from "../support/chat-upstream.ts";
import { startOtlpReceiver } from "../support/otlp-receiver.ts";
import { ask } from "../support/requests.ts";
import { startObserved } from "./harness.ts";

const traceId = "0af7651916cd43dd8448eb211c80319c";
const caller = { traceparent: `00-${traceId}-b7ad6b7169203331-01`, tracestate: "vendor=1" };
const model = "openai/gpt-4o";

async function startProvider() {
  const upstream = await startChatUpstream(answers("hi"));
  onTestFinished(() => upstream[Symbol.asyncDispose]());
  return upstream;
}

const yamlOf = (baseUrl: string, traceContext: string) =>
  `providers: { openai: { api_key: k, base_url: "${baseUrl}", trace_context: ${traceContext} } }`;

describe("the trace context of upstream requests", () => {
  it("is not sent unless the provider's configuration says so", async () => {
    const upstream = await startProvider();
    const { chat } = await startObserved(yamlOf(upstream.baseUrl, "off"));
    await chat.completeChat({ chat: ask(model, "hi") }, { headers: caller });
    expect(upstream.requests.map(({ headers }) => [headers.traceparent, headers.tracestate])).toEqual([
      [undefined, undefined],
    ]);
  });

  it("is the caller's if calls are not traced", async () => {
    const upstream = await startProvider();
    const { chat } = await startObserved(yamlOf(upstream.baseUrl, "on"));
    await chat.completeChat({ chat: ask(model, "hi") }, { headers: caller });
    await chat.completeChat({ chat: ask(model, "hi") });
    expect(upstream.requests.map(({ headers }) => [headers.traceparent, headers.tracestate])).toEqual([
      [caller.traceparent, caller.tracestate],
      [undefined, undefined],
    ]);
  });

  it.each(["CompleteChat", "StreamChat", "http"])("is that of the attempt's span, for %s", async (method) => {
    const upstream = await startProvider();
    const receiver = await startOtlpReceiver();
    onTestFinished(() => receiver[Symbol.asyncDispose]());
    const environment = { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${receiver.url}/v1/traces` };
    const { chat, service } = await startObserved(yamlOf(upstream.baseUrl, "on"), environment);
    const request = { chat: ask(model, "hi") };
    if (method === "CompleteChat") await chat.completeChat(request, { headers: caller });
    else if (method === "StreamChat") for await (const _ of chat.streamChat(request, { headers: caller }));
    else {
      const body = JSON.stringify({ model, messages: [{ role: "user", content: "hi" }] });
      const headers = { ...caller, "content-type": "application/json" };
      await (
        await fetch(`http://${service.httpAddress}/v1/chat/completions`, { method: "POST", headers, body })
      ).text();
    }
    await service.stop();
    const attempt = receiver.spans.find(({ kind }) => kind === "client");
    const call = receiver.spans.find(({ kind }) => kind === "server");
    expect(upstream.requests.map(({ headers }) => [headers.traceparent, headers.tracestate])).toEqual([
      [`00-${traceId}-${attempt?.spanId}-01`, "vendor=1"],
    ]);
    expect([attempt?.traceId, attempt?.parentSpanId, call?.parentSpanId]).toEqual([
      ...[traceId, call?.spanId, "b7ad6b7169203331"],
    ]);
    expect(attempt?.attributes).toMatchObject({
      "gen_ai.provider.name": "openai",
      "http.response.status_code": 200,
      "server.address": "127.0.0.1",
      "server.port": Number(new URL(upstream.baseUrl).port),
      "gen_ai.usage.output_tokens": 2,
    });
    expect(call?.attributes).toMatchObject(
      method === "http" ? { "http.response.status_code": 200 } : { "rpc.response.status_code": "OK" },
    );
  });
});
