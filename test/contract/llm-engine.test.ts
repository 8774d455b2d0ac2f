import { llmEngineCompletionsDialect, llmEngineDialect } from "./dialects/llm-engine.ts";
import { describeDialect } from "./suite.ts";

describeDialect(llmEngineDialect);
describeDialect(llmEngineCompletionsDialect);
