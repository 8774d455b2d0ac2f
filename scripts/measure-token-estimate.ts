// Compares estimated token counts with those of the tokenizers, for the texts of test/tokens/texts.ts.
//   node scripts/measure-token-estimate.ts           prints the errors of the estimates in percent
//   node scripts/measure-token-estimate.ts --cost    prints the time and memory that loading and counting need
import { create } from "@bufbuild/protobuf";
import { ModelSchema } from "../src/gen/dragoman/v1/model_pb.js";
import { countTextTokens, tokenCounter } from "../src/tokens/counter.ts";
import { estimateTokens } from "../src/tokens/token-estimate.ts";
import { loadTokenizer } from "../src/tokens/vocabularies.ts";
import { vocabularyOf, vocabularySizeOf } from "../src/tokens/vocabulary-of-model.ts";
import { counting } from "../test/support/counting.ts";
import { chatWithTools } from "../test/tokens/chats.ts";
import { texts } from "../test/tokens/texts.ts";

const models = ["gpt-4o", "gpt-4", "llama-3-8b-instruct", "llama-2-7b-chat", "mixtral-8x7b-instruct"].map(
  (providerModel) => create(ModelSchema, { id: providerModel, providerModel, provider: "openai" }),
);

if (process.argv.includes("--cost")) await printCosts();
else await printErrors();

async function printErrors(): Promise<void> {
  const columns = new Map<string, number[]>();
  const rows: Record<string, Record<string, string>> = {};
  function note(row: string, name: string, estimate: number, exact: number): void {
    const error = estimate / exact - 1;
    columns.set(name, [...(columns.get(name) ?? []), error]);
    rows[row] = { ...rows[row], [name]: percent(error) };
  }

  for (const model of models) {
    const isLarge = vocabularySizeOf(model) !== "small";
    for (const [kind, text] of Object.entries(texts)) {
      const { tokens } = await countTextTokens(text, model, counting);
      note(kind, model.id, estimateTokens(text, vocabularySizeOf(model)), tokens);
      // Skip Llama 2 and Mixtral: a model with an unknown vocabulary is newer and has a larger vocabulary.
      if (isLarge) note(kind, `${model.id}, as unknown model`, estimateTokens(text), tokens);
      if (model.id === "gpt-4o") note(kind, "characters / 4", text.length / 4, tokens);
    }
    const counter = tokenCounter(model, counting);
    const { tokens } = await counter.count(chatWithTools);
    note("A chat with tools", model.id, counter.estimate(chatWithTools).tokens, tokens);
  }
  console.table(rows);
  for (const [name, errors] of columns) {
    const mean = errors.reduce((sum, error) => sum + Math.abs(error), 0) / errors.length;
    const range = `${percent(Math.min(...errors))} to ${percent(Math.max(...errors))}`;
    console.log(`${name}: mean error ${percent(mean).slice(1)}, range ${range}`);
  }
}

async function printCosts(): Promise<void> {
  const kinds = ["English prose", "TypeScript", "Russian", "Chinese", "Base64"] as const;
  const rows: Record<string, Record<string, string>> = {};
  const perKb = (text: string, ms: number) => `${Math.round((ms * 1000 * 1024) / text.length)} µs/KB`;
  for (const model of models) {
    const vocabulary = vocabularyOf(model);
    if (vocabulary === undefined) continue;
    const memory = process.memoryUsage.rss();
    const began = performance.now();
    const tokenizer = await loadTokenizer(vocabulary);
    const row: Record<string, string> = {
      load: `${Math.round(performance.now() - began)} ms`,
      memory: `${Math.round((process.memoryUsage.rss() - memory) / 1e6)} MB`,
    };
    for (const kind of kinds) {
      const text = texts[kind].repeat(Math.ceil(200_000 / texts[kind].length));
      row[kind] = perKb(
        text,
        bestOf(() => Array.from(tokenizer.pieces(text), (piece) => tokenizer.count(piece))),
      );
    }
    rows[model.id] = row;
  }
  const estimate: Record<string, string> = {};
  for (const kind of kinds) {
    const text = texts[kind].repeat(Math.ceil(200_000 / texts[kind].length));
    estimate[kind] = perKb(
      text,
      bestOf(() => estimateTokens(text)),
    );
  }
  console.table({ ...rows, estimate });
}

function bestOf(work: () => unknown): number {
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 5; round++) {
    const began = performance.now();
    work();
    best = Math.min(best, performance.now() - began);
  }
  return best;
}

function percent(share: number): string {
  return `${share > 0 ? "+" : ""}${Math.round(share * 100)} %`;
}
