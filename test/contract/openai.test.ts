import { openAiDialect } from "./dialects/openai.ts";
import { describeDialect } from "./suite.ts";

describeDialect(openAiDialect);
