import { cerebrasDialect } from "./dialects/cerebras.ts";
import { describeDialect } from "./suite.ts";

describeDialect(cerebrasDialect);
