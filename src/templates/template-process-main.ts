import { renderStrictly, type TemplateJob } from "./render-strictly.ts";

// Main module of the process that template-process.ts starts.
process.on("message", (job: TemplateJob) => process.send?.(renderStrictly(job)));
process.on("disconnect", () => process.exit());
process.send?.("ready");
