import { geminiDialect } from "./dialects/gemini.ts";
import { describeDialect } from "./suite.ts";

describeDialect(geminiDialect);
