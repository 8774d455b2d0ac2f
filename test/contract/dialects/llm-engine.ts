import type { Dialect } from "../dialect.ts";
import { llmEngineDialect } from "../fixtures/llm-engine-chat.ts";
import { llmEngineCompletionsDialect } from "../fixtures/llm-engine-completions.ts";

export const dialects: readonly Dialect[] = [llmEngineDialect, llmEngineCompletionsDialect];
