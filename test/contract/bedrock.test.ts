import { bedrockDialect } from "./dialects/bedrock.ts";
import { describeDialect } from "./suite.ts";

describeDialect(bedrockDialect);
