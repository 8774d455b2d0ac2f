import { anthropicDialect } from "./dialects/anthropic.ts";
import { describeDialect } from "./suite.ts";

describeDialect(anthropicDialect);
