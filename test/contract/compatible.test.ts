import { compatibleDialects } from "./dialects/compatible.ts";
import { describeDialect } from "./suite.ts";

for (const dialect of compatibleDialects) describeDialect(dialect);
