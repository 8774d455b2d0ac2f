import { describe, expect, it } from "vitest";
import { GatewayError, type Reason, reasons } from "../../../src/errors.ts";
import { messagesSurface } from "../../../src/surfaces/messages/chat.ts";
import { toMessagesError } from "../../../src/surfaces/messages/errors.ts";
import { begin, end, json, more, sse, start, stop, text, tool } from "../../contract/fixtures/anthropic-wire.ts";
import { type Script, startReplayUpstream } from "../../support/replay-upstream.ts";
import { readEvents, startSurface, type TestSurface } from "../harness.ts";

const ask = { model: "claude-sonnet-4-6", max_tokens: 50, messages: [{ role: "user", content: "hi" }] };

async function startClaude(...scripts: readonly Script[]): Promise<TestSurface> {
  const upstream = await startReplayUpstream(...scripts);
  return startSurface(messagesSurface, {
    environment: { ANTHROPIC_API_KEY: "k", ANTHROPIC_BASE_URL: upstream.baseUrl },
    streamHeadersAfterMs: 1,
  });
}

describe("an HTTP response of Anthropic Messages", () => {
  it("keeps all digits of large integers in the input of a call", async () => {
    const api = await startClaude({
      steps: [
        {
          write: sse(
            start(),
            begin(0, tool("toolu_1", "f")),
            more(0, json('{"id": 12345678901234567890}')),
            stop(0),
            ...end("tool_use"),
          ),
        },
      ],
    });
    const response = await api.post(ask);
    expect(await response.text()).toContain('"input":{"id":12345678901234567890}');
    expect(response.headers.get("request-id")).toBe(response.headers.get("x-request-id"));
  });

  it("has Anthropic's own facts in its own fields", async () => {
    const container = { id: "c_1", expires_at: "2026-12-01T00:00:00Z" };
    const api = await startClaude({
      steps: [
        {
          write: sse(
            start(),
            ...text(0, "No."),
            ...end("refusal", { container, stop_details: { type: "refusal", category: "cyber", explanation: null } }),
          ),
        },
      ],
    });
    expect(await (await api.post(ask)).json()).toMatchObject({
      stop_reason: "refusal",
      stop_details: { type: "refusal", category: "cyber" },
      container,
      usage: { service_tier: "standard" },
    });
  });

  it("sends pings before the first output, and names each event", async () => {
    let answer = () => {};
    const silence = new Promise<void>((resolve) => {
      answer = resolve;
    });
    const api = await startClaude({
      steps: [{ hold: silence }, { write: sse(start(), ...text(0, "Hi"), ...end("end_turn")) }],
    });
    const response = await api.post({ ...ask, stream: true });
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    const first = await reader?.read();
    expect(first?.value).toBe('event: ping\ndata: {"type":"ping"}\n\n');
    answer();
    let rest = "";
    for (let next = await reader?.read(); next && !next.done; next = await reader?.read()) rest += next.value;
    expect(rest.match(/^event: .*$/gm)).toEqual(
      [
        "message_start",
        "content_block_start",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
      ].map((name) => `event: ${name}`),
    );
    expect(rest).not.toContain("[DONE]");
  });

  it("ends a stream that fails with an error event", async () => {
    const api = await startClaude({
      steps: [
        {
          write: sse(start(), begin(0, { type: "text", text: "" }), more(0, { type: "text_delta", text: "Hi" }), {
            type: "error",
            error: { type: "overloaded_error", message: "Overloaded" },
          }),
        },
      ],
    });
    const { data } = await readEvents(await api.post({ ...ask, stream: true }));
    expect(JSON.parse(data.at(-1) ?? "")).toMatchObject({
      type: "error",
      error: { type: "api_error", message: expect.any(String) },
      request_id: expect.stringMatching(/^chatcmpl-/),
    });
  });
});

describe("an error of Anthropic Messages", () => {
  const statuses: Readonly<Record<string, readonly number[]>> = {
    invalid_request_error: [400, 409, 413, 415, 499],
    authentication_error: [401],
    billing_error: [402],
    permission_error: [403],
    not_found_error: [404, 410],
    request_too_large: [413],
    rate_limit_error: [429],
    timeout_error: [504],
    api_error: [500, 501, 503],
    overloaded_error: [529],
  };

  it.each(Object.keys(reasons) as Reason[])("has a type that fits the status of %s", (reason) => {
    const { status, body } = toMessagesError(new GatewayError(reason, "no"), "r");
    const { error } = body as { error: { type: string } };
    expect(statuses[error.type]).toContain(status);
  });

  it("says that a prompt is too long in the words that Claude Code recognizes", () => {
    const metadata = { input_tokens: "210000", context_window_tokens: "200000" };
    const { body } = toMessagesError(new GatewayError("CONTEXT_LENGTH_EXCEEDED", "too long", { metadata }), "r");
    expect(body).toMatchObject({ error: { message: "prompt is too long: 210000 tokens > 200000 maximum" } });
  });
});
