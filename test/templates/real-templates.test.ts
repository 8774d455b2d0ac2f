import { afterAll, describe, expect, it } from "vitest";
import { renderCallerTemplate } from "../../src/templates/caller.ts";
import { formatTime } from "../../src/templates/format-time.ts";
import { TemplateSandbox } from "../../src/templates/sandbox.ts";
import { conversation, llama32Date, type RealTemplate, realTemplates, system } from "./real-templates.ts";

const sandbox = new TemplateSandbox({ maxProcesses: 1, maxPerAccount: 1 });
afterAll(() => sandbox.close());

const claimant = { holder: "account:a", signal: new AbortController().signal };
const tool = {
  type: "function",
  function: { name: "look", description: "Looks.", parameters: { type: "object", properties: {} } },
} as const;
const llama31 = realTemplates["meta-llama/Llama-3.1-8B-Instruct"];

function render(template: Pick<RealTemplate, "source" | "bosToken" | "eosToken">, more: object = {}) {
  const { source, bosToken, eosToken } = template;
  const family = { bosToken, eosToken, showsBosToken: true, systemOnlyFirst: false };
  return renderCallerTemplate(
    sandbox,
    { source, messages: [system, ...conversation], tools: [], kwargs: undefined, family, ...more },
    claimant,
  );
}

const text = (source: string, more: object = {}) => render({ source, bosToken: "", eosToken: "" }, more);

describe("the chat template of a real tokenizer", () => {
  it.each(Object.entries(realTemplates))("renders exactly: %s", async (_, template) => {
    const messages = template.takesSystem ? [system, ...conversation] : conversation;
    expect(await render(template, { messages })).toBe(template.prompt);
  });

  it.each(
    Object.entries(realTemplates).filter(([, { takesSystem }]) => !takesSystem),
  )("raises its own error for a system message: %s", async (_, template) => {
    await expect(render(template)).rejects.toMatchObject({
      reason: "INVALID_REQUEST",
      message: expect.stringMatching(/must alternate|not supported/),
    });
  });

  it("writes the tools of the request and the date of chat_template_kwargs", async () => {
    if (llama31 === undefined) throw new Error("no template");
    const kwargs = { date_string: "1 May 2026" };
    const prompt = await render(llama31, { tools: [tool], kwargs });
    expect(prompt).toContain("Environment: ipython\n");
    expect(prompt).toContain("Today Date: 1 May 2026\n");
    expect(prompt).toContain(`${JSON.stringify(tool, null, 4)}\n\nHi<|eot_id|>`);
    const qwen = realTemplates["Qwen/Qwen2.5-7B-Instruct"];
    expect(qwen && (await render(qwen, { tools: [tool] }))).toContain(
      '<tools>\n{"type": "function", "function": {"name": "look", "description": "Looks."',
    );
  });

  it("writes today's date with strftime_now", async () => {
    expect(await text(llama32Date)).toMatch(/^Today Date: \d\d [A-Z][a-z]{2} \d{4}\n\n$/);
    const date = new Date(2026, 4, 3, 16, 5, 9);
    expect(formatTime(date, "%d %b %Y, %B %-d, %A %a %H:%M:%S %I %p %y %m %e 100%%")).toBe(
      "03 May 2026, May 3, Sunday Sun 16:05:09 04 PM 26 05  3 100%",
    );
    await expect(text("{{ strftime_now('%Q') }}")).rejects.toThrow("strftime_now does not support %Q");
  });

  it("has tools and documents, which are none without any", async () => {
    const source = "{{ tools is none }}{{ documents is none }}{{ documents | default('no', true) }}";
    expect(await text(source)).toBe("truetrueno");
    expect(await text("{{ documents[0].title }}", { kwargs: { documents: [{ title: "T" }] } })).toBe("T");
  });
});
