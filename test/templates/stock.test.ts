import { create } from "@bufbuild/protobuf";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ModelSchema } from "../../src/gen/dragoman/v1/model_pb.js";
import type { TemplateMessage } from "../../src/templates/messages.ts";
import { renderStockTemplate } from "../../src/templates/stock.ts";
import {
  type TemplateFamilyName,
  templateChoice,
  templateChoices,
  templateFamilies,
} from "../../src/templates/template-families.ts";

const families = templateChoices.filter((choice) => choice !== "none");
const system: TemplateMessage = { role: "system", content: "Be brief." };
const conversation: readonly TemplateMessage[] = [
  system,
  { role: "user", content: "Hello" },
  { role: "assistant", content: "Hi" },
  { role: "user", content: "Bye" },
];

const written: Readonly<Record<TemplateFamilyName, string>> = {
  "llama-2": "[INST] <<SYS>>\nBe brief.\n<</SYS>>\n\nHello [/INST] Hi </s><s>[INST] Bye [/INST]",
  "llama-3": [
    "<|start_header_id|>system<|end_header_id|>\n\nBe brief.<|eot_id|>",
    "<|start_header_id|>user<|end_header_id|>\n\nHello<|eot_id|>",
    "<|start_header_id|>assistant<|end_header_id|>\n\nHi<|eot_id|>",
    "<|start_header_id|>user<|end_header_id|>\n\nBye<|eot_id|>",
    "<|start_header_id|>assistant<|end_header_id|>\n\n",
  ].join(""),
  mixtral: " [INST] Be brief.\n\nHello [/INST] Hi</s> [INST] Bye [/INST]",
  chatml: [
    "<|im_start|>system\nBe brief.<|im_end|>\n",
    "<|im_start|>user\nHello<|im_end|>\n",
    "<|im_start|>assistant\nHi<|im_end|>\n",
    "<|im_start|>user\nBye<|im_end|>\n",
    "<|im_start|>assistant\n",
  ].join(""),
  zephyr: "<|system|>\nBe brief.</s>\n<|user|>\nHello</s>\n<|assistant|>\nHi</s>\n<|user|>\nBye</s>\n<|assistant|>\n",
  "phi-3":
    "<|system|>\nBe brief.<|end|>\n<|user|>\nHello<|end|>\n<|assistant|>\nHi<|end|>\n<|user|>\nBye<|end|>\n<|assistant|>\n",
};

describe("a stock template", () => {
  it.each(families)("renders a conversation in the prompt format of %s", (family) => {
    expect(renderStockTemplate(family, conversation, undefined)).toBe(written[family]);
  });

  it("keeps the text of all messages in order, for any text", () => {
    const content = fc.string({ unit: "grapheme", minLength: 1 }).map((text) => text.trim() || "x");
    fc.assert(
      fc.property(fc.constantFrom(...families), fc.array(content, { minLength: 2, maxLength: 6 }), (family, texts) => {
        const [first = "", ...others] = texts;
        const turns = others.map((text, place) => ({ role: place % 2 ? "assistant" : "user", content: text }) as const);
        const prompt = renderStockTemplate(family, [{ role: "system", content: first }, ...turns], undefined);
        for (let from = 0, place = 0; place < texts.length; place++) {
          from = prompt.indexOf(texts[place] ?? "", from);
          expect(from).toBeGreaterThanOrEqual(0);
          from += texts[place]?.length ?? 0;
        }
      }),
    );
  });

  it.each(families)("keeps system text for %s, alone or after a user message", (family) => {
    expect(renderStockTemplate(family, [system], undefined)).toContain("Be brief.");
    const late: readonly TemplateMessage[] = [{ role: "user", content: "Hello" }, system];
    expect(renderStockTemplate(family, late, undefined)).toContain("Be brief.");
  });

  it.each(["llama-2", "mixtral"] as const)("rejects roles that do not alternate for %s", (family) => {
    const hello: TemplateMessage = { role: "user", content: "Hello" };
    expect(() => renderStockTemplate(family, [hello, hello], undefined)).toThrow(
      expect.objectContaining({
        reason: "INVALID_REQUEST",
        message: expect.stringContaining("roles must alternate"),
        facts: { fields: [expect.objectContaining({ field: ["messages"] })] },
      }),
    );
  });

  it("passes chat_template_kwargs to a stock template", () => {
    const thinking = (kwargs?: object) => renderStockTemplate("chatml", conversation, { ...kwargs });
    expect(thinking({ enable_thinking: false })).toBe(`${written.chatml}<think>\n\n</think>\n\n`);
    expect(thinking({ enable_thinking: true })).toBe(written.chatml);
  });

  it.each([
    "messages",
    "bos_token",
    "eos_token",
    "raise_exception",
    "add_generation_prompt",
  ])("rejects chat_template_kwargs with the reserved name %s in stock templates", (name) => {
    expect(() => renderStockTemplate("llama-3", conversation, { [name]: "" })).toThrow(
      expect.objectContaining({
        reason: "INVALID_REQUEST",
        facts: { fields: [expect.objectContaining({ field: ["chat_template_kwargs", name] })] },
      }),
    );
  });
});

describe("the family of a model", () => {
  const choose = (providerModel: string, templateFamily = "") =>
    templateChoice(create(ModelSchema, { providerModel, templateFamily }));

  it.each([
    ["llama-2-70b-chat", "llama-2"],
    ["llama-3-1-8b-instruct", "llama-3"],
    ["Meta-Llama-3-8B-Instruct-RMU", "llama-3"],
    ["defense-llama-3-8b-instruct", "llama-3"],
    ["donovan-combat-llama", "llama-3"],
    ["mixtral-8x22b-instruct", "mixtral"],
    ["dolphin-2.9-llama3-70b", "chatml"],
    ["llama-3-2-1b-instruct", "llama-3"],
    ["zephyr-7b-beta", "zephyr"],
    ["phi-3-mini-4k-instruct", "phi-3"],
    ["falcon-40b", undefined],
  ])("infers from the endpoint name %s the template family %s", (endpoint, family) => {
    expect(choose(endpoint)).toBe(family);
  });

  it("prefers the template family in the catalog to the endpoint name", () => {
    expect(choose("llama-3-8b", "chatml")).toBe("chatml");
    expect(choose("llama-3-8b", "none")).toBe("none");
    expect(Object.keys(templateFamilies)).toEqual(families);
  });
});
