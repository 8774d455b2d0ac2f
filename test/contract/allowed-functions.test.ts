import { describe, expect, it } from "vitest";
import { ToolChoiceMode } from "../../src/gen/dragoman/v1/tool_pb.js";
import { allow, functionTool } from "../support/tools.ts";
import { isApplicable, titleOf } from "./dialect.ts";
import { dialects } from "./load-dialects.ts";
import { planFor } from "./planned.ts";

const names = ["alpha", "beta", "gamma"] as const;
const tools = names.map((name) => functionTool({ name }));

const withTools = dialects.filter(({ conversation }) => isApplicable(conversation));

describe.each(withTools.map((dialect) => ({ dialect, title: titleOf(dialect) })))("the $title API", ({ dialect }) => {
  it("gets several allowed functions, as a list or as the only tools", async () => {
    const { body } = await planFor(dialect, { tools, toolChoice: allow(ToolChoiceMode.AUTO, "gamma", "alpha") });
    const text = JSON.stringify(body);
    const [alpha, beta, gamma] = names.map((name) => text.split(`"${name}"`).length - 1);
    // A list has each allowed name once more. Without one, the other tool is missing.
    expect([1, 2]).toContain(alpha);
    expect([beta, gamma]).toEqual([Number(alpha) - 1, alpha]);
  });
});
