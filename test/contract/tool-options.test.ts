import { describe, expect, it } from "vitest";
import { Role } from "../../src/gen/dragoman/v1/message_pb.js";
import { functionTool } from "../support/tools.ts";
import { type ConversationRules, type Dialect, headingOf, isApplicable } from "./dialect.ts";
import { dialects } from "./load-dialects.ts";
import { send } from "./send-conversation.ts";

for (const dialect of dialects) {
  const { conversation: rules } = dialect;
  if (isApplicable(rules)) describe(headingOf(dialect), () => describeOptions(dialect, rules));
}

const text = (value: string) => ({ kind: { case: "text" as const, value } });
const user = { role: Role.USER, parts: [text("hi")] };

function describeOptions(dialect: Dialect, rules: ConversationRules): void {
  const { provider } = dialect.model;
  const withOptions = (options: Record<string, { readonly [name: string]: boolean }>) => ({
    tools: [functionTool({ name: "look" }), functionTool({ name: "seek", providerOptions: options })],
  });

  it("gets the options of a tool that are its own, or the caller a warning that names them", async () => {
    const more = withOptions({ [provider]: { defer_loading: true }, other: { foreign: true } });
    const { body, plan } = await send(dialect, rules, [user], [], more);
    const dropped = plan.warnings.filter(({ reason, field }) => {
      return reason === "UNSUPPORTED_PARAMETER" && field === "tools[1].function.provider_options";
    });
    expect(dropped.length === 0).toBe(body.includes('"defer_loading":true'));
    expect(body).not.toContain("foreign");
    if (dialect.reader === "anthropic") expect(dropped).toEqual([]);
  });

  it("gets a reference to a tool under the name that the tool has, or the name as text", async () => {
    const call = { kind: { case: "toolCall" as const, value: { id: "call00001", name: "look", argumentsJson: "{}" } } };
    const reference = { kind: { case: "toolReference" as const, value: { toolName: "files.seek" } } };
    const result = { kind: { case: "toolResult" as const, value: { toolCallId: "call00001", parts: [reference] } } };
    const messages = [user, { role: Role.ASSISTANT, parts: [call] }, { role: Role.TOOL, parts: [result] }];
    const { body, plan, items } = await send(dialect, rules, messages, ["look", "files.seek"]);
    const [sent = "files.seek"] = [...(plan.toolNames ?? [])].find(([, own]) => own === "files.seek") ?? [];
    const asText = plan.warnings.filter(({ message }) => message.includes("references to tools"));
    expect(asText.map(({ reason, field }) => `${reason} ${field}`)).toEqual(
      body.includes(`{"type":"tool_reference","tool_name":"${sent}"}`)
        ? []
        : ["EMULATED messages[2].parts[0].tool_result.parts[0]"],
    );
    if (asText.length > 0) expect(items.at(-1)?.text).toBe("found the tool files.seek");
    if (dialect.reader === "anthropic") expect(asText).toEqual([]);
  });
}

describe("options of a tool", () => {
  it("cannot set what the contract has fields for", async () => {
    const dialect = dialects.find(({ name }) => name === "anthropic") ?? expect.fail("no Anthropic");
    if (!isApplicable(dialect.conversation)) return expect.fail("no conversation");
    for (const name of ["name", "description", "input_schema", "strict", "cache_control", "type"]) {
      const tools = [functionTool({ name: "look", providerOptions: { anthropic: { [name]: "x" } } })];
      await expect(send(dialect, dialect.conversation, [user], [], { tools }), name).rejects.toMatchObject({
        reason: "UNSUPPORTED_PARAMETER",
        facts: { fields: [{ field: ["tools", 0, "function", "provider_options", { key: "anthropic" }, name] }] },
      });
    }
  });
});
