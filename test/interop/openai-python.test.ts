import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestService, type TestService } from "../support/service.ts";
import { expectPartialRecord, recordOf } from "./story.ts";
import { installed, isMissing, run } from "./tools.ts";

const python = installed("python/bin/python");

type Story = Readonly<Record<string, unknown>> & { readonly story: string };

describe.skipIf(isMissing("Python's openai", python))("OpenAI's client for Python", () => {
  let service: TestService;
  let stories: ReadonlyMap<string, Story>;
  beforeAll(async () => {
    service = await startTestService();
    const client = ["test/interop/python/openai_client.py", `http://${service.httpAddress}/v1`];
    const { code, stdout, stderr } = await run(python, client);
    if (code !== 0) throw new Error(`the client ended with ${code}: ${stderr}`);
    const lines = stdout.trimEnd().split("\n");
    stories = new Map(lines.map((line): Story => JSON.parse(line)).map((story) => [story.story, story]));
  });
  afterAll(() => service.stop());

  it("receives a unary response, and the record has its request id and user", async () => {
    expect(stories.get("unary")).toMatchObject({ text: "hello from Python 🌍", output_tokens: 4 });
    const record = await recordOf(service, "openai-unary");
    expect(record).toMatchObject({ method: "openai", protocol: "http", outcome: "ok", user: "u1" });
  });

  it("reads a stream with its usage", () => {
    expect(stories.get("stream")).toMatchObject({ text: "Bonjour", output_tokens: 2 });
  });

  it("receives a tool call, and sends it back unchanged with a tool result", () => {
    expect(stories.get("tools")).toMatchObject({
      finish_reason: "tool_calls",
      arguments: { city: "Oslo" },
      text: "rain",
    });
  });

  it("receives JSON, and an error with the text that is not JSON", () => {
    expect(stories.get("json_mode")).toMatchObject({ value: { city: "Oslo" } });
    expect(stories.get("not_json")).toMatchObject({ code: "json_generation_failed", failed_generation: "{city" });
  });

  it("raises OpenAI error classes before and during a response", () => {
    const wrong = { param: "temperature", code: "invalid_value", request_id: "openai-wrong" };
    expect(stories.get("wrong")).toMatchObject(wrong);
    expect(stories.get("limited")).toMatchObject({ code: "rate_limit_exceeded", retry_after: "2" });
    expect(stories.get("interrupted")).toMatchObject({ text: "so ", code: "provider_stream_interrupted" });
  });

  it("cancels a stream, and the record has outcome cancelled", async () => {
    expect(stories.get("cancel")).toMatchObject({ text: "so " });
    await expectPartialRecord(service, "openai-cancel", "cancelled");
  });

  it("lists the models", () => {
    expect(stories.get("models")?.ids).toContain("echo/echo");
  });
});
