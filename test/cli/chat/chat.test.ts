import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { runCommandLine } from "../../../src/cli/command-line.ts";
import { UsageError } from "../../../src/cli/failures.ts";
import { testFolder } from "../../support/databases.ts";
import { type Ended, runProgram } from "../../support/run-program.ts";
import { startTestService, type TestService } from "../../support/service.ts";
import { testShell } from "../../support/shell.ts";

let service: TestService;
beforeAll(async () => {
  service = await startTestService();
});
afterAll(() => service.stop());

/** Runs `dragoman chat` with the echo model. */
function chat(...parameters: readonly string[]): Promise<Ended> {
  return runProgram(["chat", "--model", "echo/echo", ...parameters], {
    environment: { DRAGOMAN_ADDRESS: service.grpcAddress },
  });
}

const scripted = (script: unknown): string => JSON.stringify({ echo: script });

describe("dragoman chat", () => {
  it("prints only the text on standard output, and a line about the call on standard error", async () => {
    const { status, output, error } = await chat("What is", "the capital?");
    expect([status, output]).toEqual([0, "What is the capital?\n"]);
    expect(error).toMatch(
      /^echo\/echo · 4 tokens in · 4 out · \$0\.00 · first output \d.* · total \d.*( · [\d.]+ tokens\/s)?\n$/,
    );
    expect((await chat("Hello", "--quiet")).error).toBe("");
  });

  it("shows reasoning, tool calls and cached tokens, and none of them in the text", async () => {
    const { output, error } = await chat(
      scripted({
        text: "It rains.",
        reasoning: "look outside",
        tool_calls: [{ name: "get_weather", arguments: { city: "Paris" }, fragments: 3 }],
        server_tools: [{ name: "web_search" }],
        media: [{ media_type: "image/png", size: 5 }],
        sources: [{ url: { url: "https://example.com/a", title: "A" } }],
        usage: { input_tokens: 1500, cached_input_tokens: 1000, reasoning_tokens: 2 },
      }),
    );
    expect(output).toBe("It rains.\n");
    expect(error.split("\n").slice(0, -2)).toEqual([
      "reasoning: look outside",
      "provider's tool: web_search",
      "media image/png (5 bytes; --json prints them)",
      expect.stringMatching(/^tool call get_weather \{"city":"Paris"\} call_/),
      "source 1: A https://example.com/a",
    ]);
    expect(error).toContain("1,500 tokens in (1,000 cached) · ");
    expect(error).toContain(" (2 reasoning) · ");
  });

  it("prints warnings, and what limited the output", async () => {
    const { output, error } = await chat(
      "one two three",
      "--max-output-tokens",
      "2",
      "--param",
      "top_k=5",
      "--param=n=1",
    );
    expect(output).toBe("one two \n");
    expect(error).toContain("the output reached its limit; raise --max-output-tokens");
    const profile = ["--param", "profile=PROFILE_EGP_CHAT"];
    expect((await chat("Hello", ...profile)).error).toMatch(/^warning ADDED instructions: the profile egp-chat adds/);
  });

  it("names the targets of a call that fell back", async () => {
    // Nothing listens at port 1.
    const environment = { OPENAI_API_KEY: "sk-test", OPENAI_BASE_URL: "http://127.0.0.1:1/v1" };
    const yaml =
      "routes: { fast: { tiers: [{ targets: [{ model: openai/gpt-5.5 }] }, { targets: [{ model: echo/echo }] }] } }";
    const fallingBack = await startTestService(environment, undefined, yaml);
    onTestFinished(() => fallingBack.stop());
    const { output, error } = await runProgram([
      "chat",
      "Hello",
      "--model",
      "fast",
      "--address",
      fallingBack.grpcAddress,
    ]);
    expect(output).toBe("Hello\n");
    expect(error).toContain("warning FELL_BACK");
    expect(error).toMatch(/ attempts: openai\/gpt-5\.5 \(PROVIDER_UNAVAILABLE\), .*echo\/echo\n$/);
  });

  it("prints each of several choices", async () => {
    const script = { choices: [{ text: "first" }, { text: "second" }] };
    const { output, error } = await chat("Hello", "--param", "n=2", "--provider-options", scripted(script));
    expect(output).toBe("first\nsecond\n");
    expect(error).toContain("choice 2:\n");
  });

  it("prints the whole response as JSON, with control characters as escapes", async () => {
    const { output, error } = await chat(scripted({ text: "a\u001b[31m\u009b" }), "--json");
    const part = { text: "a\u001b[31m\u009b" };
    expect(JSON.parse(output)).toMatchObject({ model: "echo/echo", choices: [{ message: { parts: [part] } }] });
    expect(output).toContain("\\u009b");
    expect(error).toBe("");
  });

  it("keeps the text as it is, if no terminal shows it", async () => {
    expect((await chat(scripted({ text: "a\u001b[31m\r\n" }))).output).toBe("a\u001b[31m\r\n");
  });

  it("reads the prompt from standard input, also as a part of it", async () => {
    const run = (words: readonly string[], input: string) =>
      runProgram(["chat", "--model", "echo/echo", "--quiet", ...words], {
        environment: { DRAGOMAN_ADDRESS: service.grpcAddress },
        input,
      });
    expect((await run([], "from a pipe\n")).output).toBe("from a pipe\n");
    expect((await run(["Review this:", "-"], "a diff\n")).output).toBe("Review this:\n\na diff\n");
    expect(await run([], " \n")).toMatchObject({ status: 2, error: expect.stringContaining("the prompt is empty") });
  });

  it("sends files, images, tools, a schema and reasoning", async () => {
    const folder = testFolder();
    const write = (name: string, content: string | Uint8Array): string => {
      writeFileSync(join(folder, name), content);
      return join(folder, name);
    };
    const tool = write("tool.json", '{"name": "f", "parameters": {"type": "object"}}');
    const schema = write("schema.json", '{"type": "object", "required": ["a"]}');
    const image = write("a.png", Buffer.from("89504e470d0a1a0a", "hex"));
    const notes = write("notes.txt", "some notes");
    const options = ["--image", image, "--image", "https://example.com/b.jpg", "--file", notes, "--tool", tool];
    const { output } = await chat("Look", ...options, "--thinking", "low", "--system", "Be brief.");
    expect(output).toBe('<file name="notes.txt">\nsome notes\n</file> [image/png] [image/jpeg] Look\n');
    const failed = await chat("no JSON", "--schema", schema);
    expect(failed.status).toBe(1);
    expect(failed.error).toContain("INVALID_ARGUMENT (JSON_GENERATION_FAILED)");
    expect(failed.error).toContain("  the model wrote: no JSON");
    expect((await chat('{"a": 1}', "--schema", schema)).output).toBe('{"a": 1}\n');
  });
});

describe("dragoman chat, if it fails", () => {
  it("names the status, the reason, the provider's error, the delay and the attempts", async () => {
    const script = { fail: { reason: "PROVIDER_RATE_LIMITED", retry_after_ms: 3000, http_status: 429 } };
    const { status, output, error } = await chat(scripted(script));
    expect([status, output]).toEqual([1, ""]);
    expect(error.split("\n")).toEqual([
      "dragoman: RESOURCE_EXHAUSTED (PROVIDER_RATE_LIMITED): the echo script requested the error PROVIDER_RATE_LIMITED",
      "  provider echo: HTTP 429",
      expect.stringMatching(/^ {2}call chatcmpl-/),
      "  retry after 3.0 s",
      "",
    ]);
  });

  it("ends the line of an incomplete text", async () => {
    const script = { text: "one two three", fail: { after: 2, reason: "PROVIDER_STREAM_INTERRUPTED" } };
    const { status, output, error } = await chat(scripted(script));
    expect([status, output]).toEqual([1, "one two \n"]);
    expect(error).toMatch(/^dragoman: UNAVAILABLE \(PROVIDER_STREAM_INTERRUPTED\)/);
  });

  it("says what a model is called, and lists all wrong fields", async () => {
    const { error } = await chat("Hello", "--param", "top_p=2", "--param", "temperature=3");
    expect(error).toMatch(/INVALID_ARGUMENT \(INVALID_REQUEST\).*top_p/);
    expect(error).toContain("parameters.temperature");
    const unknown = await runProgram(["chat", "Hello", "--model", "ehco/echo", "--address", service.grpcAddress]);
    expect(unknown).toMatchObject({ status: 1, error: expect.stringContaining("NOT_FOUND (MODEL_NOT_FOUND)") });
    expect(unknown.error).toContain("`dragoman models` lists the models");
  });

  it.each([
    [["Hello"], /^--model is missing/],
    [["Hello", "--model", "a", "--thinking", "lots"], /--thinking is no amount; write none, minimal/],
    [["Hello", "--model", "a", "--temperature", "hot"], /--temperature is no number/],
    [["Hello", "--model", "a", "--param", "top_q=1"], /unknown field "top_q"; did you mean top_k or top_p\?/],
    [["Hello", "--model", "a", "--param", "top_p=x"], /the request is not valid: .*top_p.*check --param/],
    [["Hello", "--model", "a", "--param", "top_p"], /--param is no field with a value/],
    [["Hello", "--model", "a", "--provider-options", "x"], /--provider-options is not JSON/],
    [["Hello", "--model", "a", "--image", "a.txt"], /"a.txt" is no image by its name/],
    [
      ["Hello", "--model", "a", "--image", "/no/a.png"],
      /cannot read the file "\/no\/a.png": it does not exist \(ENOENT\)/,
    ],
    [["Hello", "--model", "a", "--tool", "/dev/null"], /--tool: the file "\/dev\/null" is not JSON/],
    [["Hello", "--model", "a", "--continue"], /--continue needs a terminal/],
    [["Hello", "--model", "a", "--timeout", "10"], /--timeout is no duration; write 500ms, 30s or 2m/],
    [["Hello", "--modle", "a"], /unknown option '--modle'; did you mean --model\?/],
    [["Hello", "--key", "sk-1"], /set DRAGOMAN_API_KEY, or write --key-file/],
  ])("rejects %j before it calls a service", async (parameters, message) => {
    const attempt = runCommandLine(["chat", ...parameters], testShell());
    await expect(attempt).rejects.toThrow(UsageError);
    await expect(attempt).rejects.toThrow(message);
    await expect(attempt).rejects.toThrow(/^(?!.*sk-1)/);
  });

  it("ends at Ctrl-C with 130, and cancels the call", async () => {
    service.forgetRecords();
    const { status, output, error } = await runProgram(
      ["chat", scripted({ text: "one two ", repeat: 100_000, delay_ms: 5 }), "--model", "echo/echo"],
      {
        environment: { DRAGOMAN_ADDRESS: service.grpcAddress },
        onOutput: (printed, kill) => printed.includes("one two one") && kill("SIGINT"),
      },
    );
    expect([status, error]).toEqual([130, ""]);
    expect(output.endsWith("\n")).toBe(true);
    expect((await service.nextRecord()).outcome).toBe("cancelled");
  });
});
