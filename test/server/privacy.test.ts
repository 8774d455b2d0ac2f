import { ConnectError } from "@connectrpc/connect";
import { afterEach, describe, expect, it } from "vitest";
import { GatewayError } from "../../src/errors.ts";
import { createCallLog } from "../../src/telemetry/call-log.ts";
import { textChunk } from "../support/openai-wire.ts";
import { startReplayUpstream } from "../support/replay-upstream.ts";
import { ask } from "../support/requests.ts";
import { protocols, startTestService, type TestService } from "../support/service.ts";
import { createTextLog } from "../support/text-log.ts";
import { functionTool } from "../support/tools.ts";

const prompt = "the-prompt-of-the-caller";
const answer = "the-answer-of-the-model";
const key = "sk-the-key-of-the-operator";
const callerKey = "the-key-of-the-caller";

let service: TestService | undefined;
afterEach(() => service?.stop());

describe.each(protocols)("over %s", (protocol) => {
  it("keeps keys and prompts out of logs and errors, and responses out of logs", async () => {
    const error = (status: number) => ({
      status,
      headers: { "content-type": "application/json" },
      steps: [{ write: JSON.stringify({ error: { message: `${key} was not accepted`, type: "t", code: "c" } }) }],
    });
    await using upstream = await startReplayUpstream(
      error(401),
      error(403),
      error(500),
      { steps: [{ write: textChunk(answer) }, { write: `data: {"broken": "${answer}\n\n` }] },
      { steps: [{ write: textChunk(answer) }, { cut: true }] },
    );
    const lines = createTextLog();
    const callLog = createCallLog(lines.log);
    service = await startTestService({ OPENAI_API_KEY: key, OPENAI_BASE_URL: upstream.baseUrl });
    const client = service.chatClient(protocol);
    const headers = { "x-api-key": callerKey };
    const chats = [
      ...Array.from({ length: 5 }, () => ask("openai/gpt-4o", prompt)),
      ask("openai/gpt-4o", prompt, { parameters: { temperature: 9 }, tools: [functionTool({ name: `${prompt} f` })] }),
      ask("no/such-model", prompt),
    ];
    for (const chat of chats) {
      const read = async (): Promise<undefined> => {
        for await (const _ of client.streamChat({ chat }, { headers }));
      };
      const thrown = await read().catch((failure: unknown) => ConnectError.from(failure));
      const shown = JSON.stringify([
        thrown,
        thrown?.rawMessage,
        thrown?.details.map((detail) => String(Object.values(detail))),
      ]);
      for (const secret of [key, callerKey, prompt]) expect(shown).not.toContain(secret);
    }
    for (const record of service.records) callLog.settled?.(record, undefined);
    for (const fault of service.faults) lines.log.error({ err: fault.cause ?? fault }, "fault");
    lines.log.error(
      { err: new GatewayError("INTERNAL", "x", { failedGeneration: answer }), prompt, text: answer },
      "mistake",
    );
    expect(service.records).toHaveLength(chats.length);
    for (const secret of [key, callerKey, prompt, answer]) expect(lines.text).not.toContain(secret);
    expect(lines.text).toContain('"msg":"call"');
  });
});

it("redacts an API key of any format that a provider error quotes", async () => {
  const key = "team/Quite+Unlike=AnyOther";
  await using upstream = await startReplayUpstream({
    status: 400,
    headers: { "content-type": "application/json" },
    steps: [{ write: JSON.stringify({ error: { message: `bad field, asked with ${key}`, code: "strange" } }) }],
  });
  const quoting = await startTestService({ OPENAI_API_KEY: key, OPENAI_BASE_URL: upstream.baseUrl });
  try {
    const chat = ask("openai/gpt-4o", "hi");
    const error = await quoting
      .chatClient("grpc")
      .completeChat({ chat })
      .catch((thrown: unknown) => thrown);
    expect(ConnectError.from(error).rawMessage).toContain("bad field, asked with [redacted]");
  } finally {
    await quoting.stop();
  }
});
