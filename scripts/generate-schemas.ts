import { writeFileSync } from "node:fs";
import { configSchemas } from "./config-schemas.ts";

// Writes the JSON Schemas of the configuration file and of the chart's values.
for (const [path, text] of configSchemas()) writeFileSync(path, text);
