import { azureOpenAiDialect } from "./dialects/azure-openai.ts";
import { describeDialect } from "./suite.ts";

describeDialect(azureOpenAiDialect);
