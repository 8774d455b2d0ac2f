import { readFileSync } from "node:fs";
import { anthropicModelCatalog } from "@ai-sdk/anthropic/internal";
import { getGoogleLanguageModelEntry } from "@ai-sdk/google/internal";
import { openaiModelCatalog } from "@ai-sdk/openai/internal";
import { timestampDate } from "@bufbuild/protobuf/wkt";
import { findProvider } from "@pydantic/genai-prices";
import type { Model } from "../src/gen/dragoman/v1/model_pb.js";
import { ReasoningEffort } from "../src/gen/dragoman/v1/reasoning_pb.js";
import { rulesFor } from "../src/models/family-rules.ts";
import { reasoningModels } from "../src/providers/chat-completions/reasoning-models.ts";
import { claudeModel } from "../src/providers/claude/claude-models.ts";
import { effortsOf, geminiRules } from "../src/providers/generate-content/model-rules.ts";
import { googleRows } from "../src/providers/generate-content/models.ts";
import { listedModels } from "../src/providers/registry.ts";

// Compares the rules and the catalog with the tables of npm packages, which need no network. One side of a difference
// is wrong: look at the vendor's page. test/models/model-packages.test.ts has the known differences with their reasons.

/** One fact about a model: what Dragoman has, and what the package has. Undefined: the package does not state it. */
type Fact = readonly [name: string, ours: unknown, theirs: unknown];

function compare(model: string, source: string, facts: readonly Fact[]): readonly string[] {
  return facts.flatMap(([name, ours, theirs]) =>
    theirs === undefined || String(ours) === String(theirs)
      ? []
      : [
          `${model}: ${name} is ${ours === "" ? "unknown" : ours} here, ${theirs === "" ? "unknown" : theirs} in ${source}`,
        ],
  );
}

const wordsOf = (efforts: readonly ReasoningEffort[]) =>
  efforts.map((effort) => ReasoningEffort[effort]?.toLowerCase());

function* openAiDifferences(): Generator<string> {
  for (const [name, { capabilities }] of Object.entries(openaiModelCatalog)) {
    const { language } = capabilities;
    // The catalog does not know the efforts of chat, codex and pro models.
    if (language === undefined || /-(?:chat|codex|pro)/.test(name)) continue;
    const rules = rulesFor(reasoningModels, name) ?? null;
    const { support, efforts, sampling } = language.reasoning;
    const facts: Fact[] = [["reasoning", rules !== null, support]];
    if (rules !== null) {
      facts.push(
        ["efforts", wordsOf(rules.efforts), efforts],
        ["sampling without reasoning", rules.sampling === "without-effort", sampling === "reasoning-effort-none"],
        ["tools at each effort", rules.toolsAt === "any", language.endpoints.chat.functionToolsWithReasoning],
      );
    }
    yield* compare(name, "@ai-sdk/openai", facts);
  }
}

function* claudeDifferences(): Generator<string> {
  for (const [name, { capabilities, requestConfig }] of Object.entries(anthropicModelCatalog)) {
    const rules = claudeModel(name);
    const { reasoning, tools, structuredOutput, sampling } = capabilities.language;
    yield* compare(name, "@ai-sdk/anthropic", [
      ["output limit", rules.maxOutput, requestConfig.language.maxOutputTokens],
      ["sampling", rules.sampling, sampling.temperature === true],
      ["adaptive thinking", rules.thinking === "adaptive", reasoning.adaptive],
      ["a budget", rules.thinking !== "no" && rules.sampling, reasoning.budget],
      ["effort xhigh", rules.efforts.includes(ReasoningEffort.XHIGH), reasoning.supportsXhighEffort],
      ["turning thinking off", rules.off === "disabled", reasoning.canDisable],
      ["thinking between tools", rules.off === "between_tools", reasoning.betweenTools],
      ["forced tools", rules.forcedTools, tools.forcedChoice],
      ["JSON Schema", rules.jsonSchema, structuredOutput.native],
    ]);
  }
}

function* geminiDifferences(): Generator<string> {
  for (const { model } of googleRows) {
    const rules = rulesFor(geminiRules, model);
    if (rules === undefined) throw new Error(`${model} is in no family`);
    const { capabilities, requestConfig } = getGoogleLanguageModelEntry(model);
    const { reasoning, structuredOutput, tools, sampling } = capabilities.language;
    const isBudget = rules.thinking.by === "budget";
    yield* compare(model, "@ai-sdk/google", [
      ["thinking by", rules.thinking.by, requestConfig.language.thinkingFormat],
      ["efforts", isBudget ? undefined : wordsOf(effortsOf(rules)), isBudget ? undefined : reasoning.efforts],
      ["least budget", isBudget && rules.thinking.least, isBudget ? reasoning.minBudget : undefined],
      ["most budget", isBudget && rules.thinking.most, isBudget ? reasoning.maxBudget : undefined],
      ["JSON with tools", rules.jsonWithTools, structuredOutput.withFunctionTools],
      ["media in results", rules.mediaInResults, tools.functionResponseParts],
      ["penalties", rules.penalties, sampling.penalties === true],
      ["a system field", rules.systemInstruction, requestConfig.language.systemInstruction === "system"],
    ]);
  }
}

/** Returns the text of a file of a package. */
function textOf(file: string): string {
  return readFileSync(new URL(`../node_modules/${file}`, import.meta.url), "utf8");
}

const dayOf = ({ deprecationTime }: Model) =>
  deprecationTime && timestampDate(deprecationTime).toISOString().slice(0, 10);

/** Shutdown dates from the comments of OpenAI's types: names in quotes, then a date. */
function openAiShutdowns(): ReadonlyMap<string, string> {
  const comment = textOf("openai/resources/shared.d.ts").replace(/\n \*\s*/g, " ");
  const entries = comment.matchAll(/-((?: "[^"]+",?)+): Announced shutdown date: (\d{4}-\d\d-\d\d)/g);
  return new Map(
    [...entries].flatMap(([, names = "", day = ""]) =>
      [...names.matchAll(/"([^"]+)"/g)].map(([, name = ""]) => [name, day] as const),
    ),
  );
}

function claudeShutdowns(): ReadonlyMap<string, string> {
  const [, table = ""] =
    /DEPRECATED_MODELS = \{([^}]*)\}/.exec(textOf("@anthropic-ai/sdk/resources/messages/messages.js")) ?? [];
  const entries = table.matchAll(/'([^']+)': '(\w+ \d+)\w*, (\d{4})'/g);
  return new Map(
    [...entries].map(([, name = "", day, year]) => [name, new Date(`${day}, ${year} UTC`).toISOString().slice(0, 10)]),
  );
}

function* shutdownDifferences(models: readonly Model[]): Generator<string> {
  const tables = { openai: openAiShutdowns(), anthropic: claudeShutdowns() };
  for (const [provider, table] of Object.entries(tables)) {
    for (const model of models.filter((one) => one.provider === provider)) {
      const theirs = table.get(model.providerModel);
      yield* compare(model.id, `${provider}'s SDK`, [["shutdown date", dayOf(model) ?? "", theirs ?? ""]]);
    }
  }
}

/** Providers of @pydantic/genai-prices, by Dragoman's names. */
const pricedProviders: Readonly<Record<string, string>> = {
  openai: "openai",
  anthropic: "anthropic",
  gemini: "google",
  mistral: "mistral",
  cohere: "cohere",
  groq: "groq",
  xai: "x-ai",
  deepseek: "deepseek",
  cerebras: "cerebras",
};

function* windowDifferences(models: readonly Model[]): Generator<string> {
  for (const [name, providerId] of Object.entries(pricedProviders)) {
    const known = findProvider({ providerId })?.models ?? [];
    for (const model of models.filter(({ provider }) => provider === name)) {
      const theirs = known.find(({ id }) => id === model.providerModel)?.context_window;
      const ours = model.contextWindowTokens;
      // The package rounds many context windows.
      if (theirs === undefined || Math.abs(ours - theirs) <= 0.05 * ours) continue;
      yield* compare(model.id, "@pydantic/genai-prices", [["context window", ours, theirs]]);
    }
  }
}

/** Returns one line for each difference. */
export function packageDifferences(): readonly string[] {
  const models = listedModels({});
  return [
    ...openAiDifferences(),
    ...claudeDifferences(),
    ...geminiDifferences(),
    ...shutdownDifferences(models),
    ...windowDifferences(models),
  ];
}
