import fc from "fast-check";
import { expect, it } from "vitest";
import { countTextTokens } from "../../src/tokens/counter.ts";
import { mostChatBytes } from "../../src/tokens/usage-estimate.ts";
import { loadTokenizer } from "../../src/tokens/vocabularies.ts";
import { vocabularyOf } from "../../src/tokens/vocabulary-of-model.ts";
import { counting } from "../support/counting.ts";
import { ask } from "../support/requests.ts";
import { artificialTexts } from "./artificial-texts.ts";
import { named } from "./models.ts";
import { texts } from "./texts.ts";

const models = ["gpt-4o", "gpt-4", "llama-3-8b-instruct", "llama-2-7b-chat", "mixtral-8x7b-instruct"].map((name) =>
  named(name),
);

it.each(models)("$id has no text with more tokens than bytes", { timeout: 60_000 }, async (model) => {
  const vocabulary = vocabularyOf(model);
  const tokenizer = vocabulary && (await loadTokenizer(vocabulary));
  const bytesOf = (text: string) => mostChatBytes(ask(model.id, text)) - mostChatBytes(ask(model.id, ""));
  for (const text of [...Object.values(artificialTexts), ...Object.values(texts)]) {
    const { tokens } = await countTextTokens(text, model, counting);
    // A begin token, and the space that SentencePiece puts before a text: `mostChatBytes` has 8 for each text.
    expect(tokens).toBeLessThanOrEqual(bytesOf(text) + 2);
  }
  const text = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.string({ unit: "grapheme" }),
    fc.string({ unit: "grapheme-ascii" }),
  );
  fc.assert(
    fc.property(text, (one) => {
      const pieces = [...(tokenizer?.pieces(one) ?? [])];
      const tokens = pieces.reduce((sum, piece) => sum + (tokenizer?.count(piece) ?? 0), 0);
      expect(tokens).toBeLessThanOrEqual(bytesOf(one) + 1);
    }),
    { numRuns: 500 },
  );
});
