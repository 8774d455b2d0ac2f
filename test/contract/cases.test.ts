import { dialects } from "./load-dialects.ts";
import { describeDialect } from "./suite.ts";

for (const dialect of dialects) describeDialect(dialect);
