import fc from "fast-check";
import { countTokens as countCl100k } from "gpt-tokenizer/encoding/cl100k_base";
import { countTokens as countO200k } from "gpt-tokenizer/encoding/o200k_base";
import llama2 from "llama-tokenizer-js";
import llama3 from "llama3-tokenizer-js";
import mistral from "mistral-tokenizer-js";
import { describe, expect, it, test } from "vitest";
import { maxPiece, type Tokenizer } from "../../src/tokens/tokenizer.ts";
import { loadTokenizer, type VocabularyName } from "../../src/tokens/vocabularies.ts";
import { texts } from "./texts.ts";

const asText = { disallowedSpecial: new Set<string>() };

/** Counts of the vocabularies' libraries: slow on long texts, but tested by their authors. */
const libraries: readonly (readonly [VocabularyName, (text: string) => number])[] = [
  ["o200k", (text) => countO200k(text, asText)],
  ["harmony", (text) => countO200k(text, asText)],
  ["cl100k", (text) => countCl100k(text, asText)],
  ["llama-3", (text) => llama3.encode(text, { bos: false, eos: false }).length],
  ["llama-2", (text) => llama2.encode(text, false).length],
  ["mistral", (text) => mistral.encode(text, false).length],
  ["mistral-v3", (text) => mistral.encode(text, false).length],
];
const names = libraries.map(([name]) => name);

function countAll(tokenizer: Tokenizer, text: string): number {
  let tokens = 0;
  for (const piece of tokenizer.pieces(text)) tokens += tokenizer.count(piece);
  return tokens;
}

const kinds = fc.constantFrom(...Object.values(texts));
/** Concatenated slices of texts of many kinds. */
const mixtures = fc
  .array(fc.tuple(kinds, fc.nat(150), fc.integer({ min: 1, max: 60 })), { minLength: 1, maxLength: 6 })
  .map((slices) => slices.map(([text, begin, length]) => text.slice(begin, begin + length).toWellFormed()).join(""));
/** Characters that the libraries and the vocabularies' original regular expressions treat alike. */
const anyText = fc.string({ unit: "binary", maxLength: 60 }).map((text) => text.replace(/[\u0085\ufeff\u2581]/g, " "));

describe.each(libraries)("%s", (name, library) => {
  it("counts every kind of text like the library of its vocabulary", async () => {
    const tokenizer = await loadTokenizer(name);
    for (const [kind, text] of Object.entries(texts)) {
      expect([kind, countAll(tokenizer, text)]).toEqual([kind, library(text)]);
    }
  });

  it("counts mixed texts like the library", async () => {
    const tokenizer = await loadTokenizer(name);
    fc.assert(fc.property(mixtures, (text) => countAll(tokenizer, text) === library(text)));
  });

  it("counts any characters like the library", async () => {
    const tokenizer = await loadTokenizer(name);
    fc.assert(fc.property(anyText, (text) => countAll(tokenizer, text) === library(text)));
  });

  it("counts a long text in pieces like the library, without tearing a token", async () => {
    const tokenizer = await loadTokenizer(name);
    const long = [...Object.values(texts)].join("\n\n").repeat(2);
    const pieces = [...tokenizer.pieces(long)];
    expect(pieces.length).toBeGreaterThan(3);
    expect(pieces.map(({ text }) => text).join("")).toBe(long);
    expect(pieces.some(({ torn }) => torn)).toBe(false);
    expect(countAll(tokenizer, long)).toBe(library(long));
  });
});

// Examples of OpenAI's cookbook, How_to_count_tokens_with_tiktoken.ipynb.
test.each([
  ["tiktoken is great!", 6, 6],
  ["antidisestablishmentarianism", 6, 6],
  ["2 + 2 = 4", 7, 7],
  ["お誕生日おめでとう", 9, 8],
  ["hello world", 2, 2],
])("splits %j into %i tokens with cl100k and %i with o200k", async (text, cl100k, o200k) => {
  expect(countAll(await loadTokenizer("cl100k"), text)).toBe(cl100k);
  expect(countAll(await loadTokenizer("o200k"), text)).toBe(o200k);
});

// Examples of the libraries' authors, made with the models' own tokenizers.
test.each([
  ["llama-3", "Hello world!", 3],
  ["llama-2", "           grabbed", 4],
  ["llama-2", "ax\n####\nboo", 6],
  ["llama-2", "🦙Ꙋ", 8],
  ["mistral", "Hello world!", 3],
  ["mistral", "           grabbed", 2],
] as const)("with %s, splits %j into %i tokens", async (name, text, tokens) => {
  expect(countAll(await loadTokenizer(name), text)).toBe(tokens);
});

test("counts OpenAI's control tokens in a text as plain text", async () => {
  for (const name of ["o200k", "cl100k"] as const) {
    const tokenizer = await loadTokenizer(name);
    expect(countAll(tokenizer, "<|endoftext|>")).toBeGreaterThan(4);
    expect(countAll(tokenizer, "a<|im_start|>b")).toBeGreaterThan(4);
  }
});

test.each([
  ["llama-3", "<|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|>", 6],
  ["llama-3", "<|im_start|>user\nHi<|im_end|>", 5],
  ["harmony", "<|start|>user<|message|>Hi<|end|>", 5],
  ["llama-2", "<s>[INST] Hi [/INST]", 9],
  ["mistral-v3", "<s>[INST] Hi[/INST]", 5],
] as const)("with %s, counts each control token of %j as one", async (name, prompt, tokens) => {
  expect(countAll(await loadTokenizer(name), prompt)).toBe(tokens);
});

test("treats the byte order mark as a separate word, as tiktoken does", async () => {
  const tokenizer = await loadTokenizer("o200k");
  expect(countAll(tokenizer, "\ufeff")).toBe(1);
  expect(countAll(tokenizer, "a\ufeffb")).toBe(3);
});

test.each(names)("with %s, cuts an unbroken megabyte into bounded pieces and marks them torn", async (name) => {
  const tokenizer = await loadTokenizer(name);
  for (const character of ["a", " ", "\n", "天", ".", "A", "🦙", "a\u0301"]) {
    const text = character.repeat(1_000_000 / character.length);
    let [pieces, torn, characters] = [0, 0, 0];
    for (const piece of tokenizer.pieces(text)) {
      pieces++;
      if (piece.torn) torn++;
      characters += piece.text.length;
      expect(piece.text.length).toBeLessThanOrEqual(maxPiece);
      expect(piece.text.isWellFormed()).toBe(true);
    }
    expect(characters).toBe(text.length);
    expect(pieces).toBeLessThan(300);
    if (name === "o200k") expect(torn).toBe(pieces - 1);
  }
});

test("counts a very long word like the library", async () => {
  const tokenizer = await loadTokenizer("o200k");
  for (const character of ["a", "天", "!?"]) {
    const word = character.repeat(1500 / character.length);
    expect(countAll(tokenizer, word)).toBe(countO200k(word));
  }
});
