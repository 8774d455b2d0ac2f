import { vertexDialect } from "./dialects/vertex.ts";
import { describeDialect } from "./suite.ts";

describeDialect(vertexDialect);
