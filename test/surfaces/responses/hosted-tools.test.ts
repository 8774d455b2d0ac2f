import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestService, type TestService } from "../../support/service.ts";

let service: TestService;
beforeAll(async () => {
  service = await startTestService();
});
afterAll(() => service.stop());

interface Warning {
  readonly reason: string;
  readonly field: string;
  readonly message: string;
}

/** Sends a request to a provider that runs no tools. */
async function send(more: object) {
  const response = await fetch(`http://${service.httpAddress}/v1/responses`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ model: "echo/echo", input: "hi", ...more }),
  });
  const warnings: readonly Warning[] = JSON.parse(response.headers.get("x-dragoman-warnings") ?? "[]");
  const { error } = (await response.json()) as { readonly error?: object };
  return { status: response.status, warnings, error };
}

const search = { type: "web_search" };
const functionOf = (name: string) => ({ type: "function", name, parameters: { type: "object" }, strict: false });

describe("a tool that the provider runs", () => {
  it("is left out with a warning if it is a web search that the provider does not have", async () => {
    const { status, warnings } = await send({ tools: [functionOf("f"), search, functionOf("g")] });
    expect(status).toBe(200);
    expect(warnings).toContainEqual({
      reason: "LEFT_OUT",
      field: "tools.1",
      message: "Dragoman cannot run this tool at echo; it is left out",
    });
  });

  it("leaves the other tools their names in errors", async () => {
    const { status, error } = await send({ tools: [search, functionOf("f"), functionOf("f")] });
    expect(status).toBe(400);
    expect(error).toMatchObject({ param: "tools.2.name", message: expect.stringContaining("use a unique name") });
  });

  it("may be the only tool, unless the model must call one", async () => {
    expect(await send({ tools: [search], tool_choice: "auto" })).toMatchObject({ status: 200 });
    const { status, error } = await send({ tools: [search], tool_choice: "required" });
    expect(status).toBe(400);
    expect(error).toMatchObject({
      param: "tool_choice",
      message: "tool_choice: requires a tool call, but echo does not have the only tool; add a function",
    });
  });

  it("is an error with the provider's name if it is any other tool", async () => {
    const { status, error } = await send({
      tools: [functionOf("f"), { type: "file_search", vector_store_ids: ["vs_1"] }],
    });
    expect(status).toBe(400);
    expect(error).toMatchObject({
      param: "tools.1.type",
      message:
        "tools.1.type: the tool is one of openai, but the request goes to echo; omit it or call a model of openai",
    });
  });

  it("stays allowed beside the functions that allowed_tools names", async () => {
    const tools = [search, functionOf("f"), functionOf("g")];
    const tool_choice = { type: "allowed_tools", mode: "auto", tools: [{ type: "function", name: "g" }] };
    const { status, warnings } = await send({ tools, tool_choice });
    expect(status).toBe(200);
    expect(warnings.map(({ field }) => field)).toContain("tools.0");
  });
});
