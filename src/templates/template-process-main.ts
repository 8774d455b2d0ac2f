import { renderStrictly } from "./render-strictly.ts";
import type { TemplateJob } from "./template-job.ts";

// Main module of the process that template-process.ts starts.
process.on("message", (job: TemplateJob) => process.send?.(renderStrictly(job)));
process.on("disconnect", () => process.exit());
process.send?.("ready");
