import { parentPort, workerData } from "node:worker_threads";
import { loadTemplate } from "./engine.ts";
import { type Rendering, renderPrompt } from "./prompt.ts";

// The thread that caller-template.ts starts.
const { engineFolder, rendering }: { engineFolder: string; rendering: Rendering } = workerData;
parentPort?.postMessage(renderPrompt(await loadTemplate(engineFolder), rendering));
