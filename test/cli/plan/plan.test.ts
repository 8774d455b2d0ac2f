import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runProgram } from "../../support/run-program.ts";
import { startTestService, type TestService } from "../../support/service.ts";

describe("dragoman plan", () => {
  let service: TestService;
  beforeAll(async () => {
    // Nothing listens at port 1: a plan calls no provider.
    const environment = { OPENAI_API_KEY: "sk-test", OPENAI_BASE_URL: "http://127.0.0.1:1/v1" };
    const yaml =
      "routes: { chat-fast: { tiers: [{ targets: [{ model: openai/gpt-5.5 }] }, { targets: [{ model: echo/echo }] }] } }";
    service = await startTestService(environment, undefined, yaml);
  });
  afterAll(() => service.stop());

  const plan = (...parameters: readonly string[]) =>
    runProgram(["plan", ...parameters, "--address", service.grpcAddress]);

  it("shows targets, parameters, changes and messages", async () => {
    const { status, output, error } = await plan("Hello", "--model", "chat-fast", "--temperature", "0.2");
    expect([status, error]).toEqual([0, ""]);
    const sections = output.split("\n\n").map((section) => section.trimEnd().split("\n"));
    const section = (title: string) => sections.find(([first]) => first === title)?.slice(1);
    expect(section("call")?.slice(1, 3)).toEqual(["  provider  openai", "  profile   plain"]);
    expect(section("targets")).toEqual(["  first openai/gpt-5.5", "  then  echo/echo"]);
    expect(section("changes")?.join("\n")).toContain("temperature");
    expect(section("messages")).toEqual(["  user       Hello"]);
    expect(output).not.toContain("provider's request");
  });

  it("prints the provider's request, or all as JSON", async () => {
    const { output } = await plan("Hello", "--model", "openai/gpt-5.5", "--body");
    const body = JSON.parse(output.split("provider's request\n")[1] ?? "");
    expect(body).toMatchObject({ model: "gpt-5.5", stream: true });
    const { output: json } = await plan("Hello", "--model", "echo/echo", "--param", "top_p=0.5", "--json");
    expect(JSON.parse(json)).toMatchObject({ provider: "echo", effectiveParameters: { topP: 0.5 } });
  });
});
