import { mistralDialect } from "./dialects/mistral.ts";
import { describeDialect } from "./suite.ts";

describeDialect(mistralDialect);
