import { afterAll, describe, expect, it } from "vitest";
import { omitsBosToken, renderCallerTemplate } from "../../src/templates/caller.ts";
import type { TemplateMessage } from "../../src/templates/messages.ts";
import { TemplateSandbox } from "../../src/templates/sandbox.ts";
import { familyOf, type TemplateChoice } from "../../src/templates/template-families.ts";
import { toPath } from "../support/paths.ts";

const sandbox = new TemplateSandbox({ maxProcesses: 2, maxPerAccount: 2 });
afterAll(() => sandbox.close());

const claimant = { holder: "account:a", signal: new AbortController().signal };
const hello: readonly TemplateMessage[] = [{ role: "user", content: "Hello" }];
const system: TemplateMessage = { role: "system", content: "Be brief." };

interface Shown {
  readonly messages?: readonly TemplateMessage[];
  readonly kwargs?: Readonly<Record<string, unknown>>;
}

function render(choice: TemplateChoice | undefined, source: string, { messages = hello, kwargs }: Shown = {}) {
  return renderCallerTemplate(sandbox, { source, messages, tools: [], kwargs, family: familyOf(choice) }, claimant);
}

const rejected = (field: string, why: string) => ({
  reason: "INVALID_REQUEST",
  facts: { fields: [{ field: toPath(field), description: expect.stringContaining(why) }] },
});

describe("a caller's template", () => {
  it.each([
    ["llama-2", "{{ bos_token }}{{ messages[0].content }}{{ eos_token }}", "<s>Hello</s>"],
    ["llama-3", "{{ bos_token }}{{ messages[0].content }}{{ eos_token }}", "<|begin_of_text|>Hello<|eot_id|>"],
    ["mixtral", "{{ bos_token }}{{ messages[0].content }}{{ eos_token }}", "Hello</s>"],
    ["chatml", "{{ bos_token }}{{ messages[0].content }}{{ eos_token }}", "Hello<|im_end|>"],
    ["none", "{{ messages[0].content }}", "Hello"],
    [undefined, "{{ messages[0].content }}", "Hello"],
  ] as const)("renders a template for %s with the variables of its family", async (choice, source, prompt) => {
    expect(await render(choice, source)).toBe(prompt);
    expect(await render(choice, "{{ messages[0].role }}")).toBe("user");
  });

  it.each([
    ["none", "eos_token", "configure template_family"],
    [undefined, "bos_token", "configure template_family"],
    [
      "llama-3",
      "pad_token",
      "unknown variable pad_token; this template can use messages, bos_token, eos_token, tools,",
    ],
    ["llama-3", "date_string", "unknown variable date_string"],
  ] as const)("rejects a template for %s that uses %s", async (choice, name, why) => {
    await expect(render(choice, `{{ ${name} }}`)).rejects.toMatchObject(rejected("chat_template", why));
  });

  it.each([
    ["llama-3", "{{ bos_token }}", false],
    ["chatml", "{{ bos_token }}", false],
    [undefined, "{{ bos_token }}", false],
    ["mixtral", "{{ eos_token }}", false],
    ["mixtral", "{# bos_token #}{{ eos_token }}", false],
    ["mixtral", "{# x #}{{ bos_token }}", true],
    ["mixtral", "{%- set start = bos_token -%}", true],
  ] as const)("tells whether %s omits the bos_token of %s", (choice, source, omitted) => {
    expect(omitsBosToken(source, familyOf(choice))).toBe(omitted);
  });

  it("passes a system message to the template as the first message", async () => {
    const source = "{{ messages[0].role }}";
    expect(await render("llama-3", source, { messages: [system, ...hello] })).toBe("system");
    expect(await render("llama-3", source)).toBe("user");
  });

  it("rejects a system message after the first message for Mixtral", async () => {
    const source = "{{ messages | length }}";
    expect(await render("mixtral", source, { messages: [system, ...hello] })).toBe("2");
    await expect(render("mixtral", source, { messages: [...hello, system] })).rejects.toMatchObject(
      rejected("messages[1].role", "first message"),
    );
  });

  it("returns the error text that a template raises", async () => {
    const source = "{% if messages[0].role == 'system' %}{{ raise_exception('no system role') }}{% endif %}ok";
    expect(await render("llama-3", source)).toBe("ok");
    await expect(render("llama-3", source, { messages: [system] })).rejects.toMatchObject(
      rejected("chat_template", "no system role"),
    );
  });

  it("passes chat_template_kwargs to the template", async () => {
    const kwargs = { greet: "yo", add_generation_prompt: false, list: [1, { a: null }] };
    expect(await render("llama-3", "{{ greet }}{{ add_generation_prompt }}{{ list }}", { kwargs })).toBe(
      'yofalse[1, {"a": null}]',
    );
  });

  it.each([
    "messages",
    "bos_token",
    "eos_token",
    "raise_exception",
    "range",
    "strftime_now",
    "namespace",
    "loop",
    "true",
    "None",
  ])("rejects chat_template_kwargs with the reserved name %s", async (name) => {
    await expect(render("mixtral", "x", { kwargs: { [name]: "mine" } })).rejects.toMatchObject(
      rejected(`chat_template_kwargs.${name}`, name),
    );
  });

  it("rejects a template that renders an empty prompt", async () => {
    await expect(render("llama-3", "{# nothing #}")).rejects.toMatchObject(rejected("chat_template", "empty"));
  });
});
