import { cohereDialect } from "./dialects/cohere.ts";
import { describeDialect } from "./suite.ts";

describeDialect(cohereDialect);
