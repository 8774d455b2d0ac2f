import { deepInfraDialect } from "./dialects/deepinfra.ts";
import { describeDialect } from "./suite.ts";

describeDialect(deepInfraDialect);
