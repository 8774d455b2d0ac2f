import { describe, expect, it } from "vitest";
import { type Turn, templateFor, templates } from "../../../src/providers/llm-engine/templates.ts";

const turns: readonly Turn[] = [
  { role: "system", content: "Be brief." },
  { role: "user", content: "Hello" },
  { role: "assistant", content: "Hi" },
  { role: "user", content: "Bye" },
];

describe("a stock template", () => {
  it("writes a conversation as the models of its family were trained on it", () => {
    expect(templates["llama-2"](turns)).toBe(
      "[INST] <<SYS>>\nBe brief.\n<</SYS>>\n\nHello [/INST] Hi </s><s>[INST] Bye [/INST]",
    );
    expect(templates.mixtral(turns)).toBe(" [INST] Be brief.\n\nHello [/INST] Hi</s> [INST] Bye [/INST]");
    expect(templates["llama-3"](turns)).toBe(
      [
        "<|start_header_id|>system<|end_header_id|>\n\nBe brief.<|eot_id|>",
        "<|start_header_id|>user<|end_header_id|>\n\nHello<|eot_id|>",
        "<|start_header_id|>assistant<|end_header_id|>\n\nHi<|eot_id|>",
        "<|start_header_id|>user<|end_header_id|>\n\nBye<|eot_id|>",
        "<|start_header_id|>assistant<|end_header_id|>\n\n",
      ].join(""),
    );
    expect(templates.chatml(turns)).toBe(
      [
        "<|im_start|>system\nBe brief.<|im_end|>\n",
        "<|im_start|>user\nHello<|im_end|>\n",
        "<|im_start|>assistant\nHi<|im_end|>\n",
        "<|im_start|>user\nBye<|im_end|>\n",
        "<|im_start|>assistant\n",
      ].join(""),
    );
  });

  it("loses no system text, with or without a user turn to put it into", () => {
    for (const template of Object.values(templates)) {
      expect(template([{ role: "system", content: "Be brief." }])).toContain("Be brief.");
      expect(template([{ role: "assistant", content: "Hi" }, ...turns])).toContain("Be brief.");
    }
  });

  it.each([
    ["llama-2-70b-chat", "llama-2"],
    ["llama-3-1-8b-instruct", "llama-3"],
    ["Meta-Llama-3-8B-Instruct-RMU", "llama-3"],
    ["defense-llama-3-8b-instruct", "llama-3"],
    ["donovan-combat-llama", "llama-3"],
    ["mixtral-8x22b-instruct", "mixtral"],
    ["dolphin-2.9-llama3-70b", "chatml"],
    ["llama-3-2-1b-instruct", "llama-3"],
    ["falcon-40b", undefined],
  ])("is found by the endpoint's name: %s is %s", (endpoint, template) => {
    expect(templateFor(endpoint)).toBe(template);
  });
});
