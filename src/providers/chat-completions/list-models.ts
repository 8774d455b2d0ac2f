import { z } from "zod";
import type { ServedModel } from "../../models/served-model.ts";
import type { AttemptContext } from "../../upstream/upstream-call.ts";
import type { ErrorDialect } from "../kit/errors.ts";
import { requestWhole } from "../kit/whole-exchange.ts";
import type { Shared } from "./endpoint.ts";

/** Maximum number of models of one server. Dragoman ignores the rest. */
const mostModels = 1000;

/** Maximum characters of `ChatRequest.model`, which is `<provider>/<model>`. */
const longestName = 256;

/** Bounds of the JSON. Servers send up to 60 values for each model. */
const bounds = { values: 100_000, cost: 200_000 };

// Old versions of Ollama send `null` instead of an empty list, and Together sends a list alone.
const list = z.union([z.array(z.unknown()), z.object({ data: z.array(z.unknown()).nullable() })]);

const count = z
  .int()
  .min(1)
  .max(2 ** 31 - 1)
  .optional()
  .catch(undefined);

/** Fields with the context window: of vLLM and SGLang, of llama.cpp, and of gateways. */
const entry = z.object({
  id: z.string(),
  max_model_len: count,
  meta: z.object({ n_ctx: count }).optional().catch(undefined),
  context_length: count,
  context_window: count,
});

/** Asks a server with OpenAI's API for its models. https://platform.openai.com/docs/api-reference/models/list */
export function listModels(
  { settings, endpoint, upstream }: Pick<Shared, "settings" | "endpoint" | "upstream">,
  errors: ErrorDialect,
  context: AttemptContext,
): Promise<readonly ServedModel[]> {
  return requestWhole<z.infer<typeof list>, readonly ServedModel[]>(upstream, context, async (call) => ({
    path: "/models",
    headers: await endpoint.authorize(call),
    body: undefined,
    errors,
    schema: list,
    bounds,
    toOutput: (answer) => servedModels(Array.isArray(answer) ? answer : (answer.data ?? []), settings.name),
  }));
}

/** Reads the entries of a list. Leaves out those without a name that a request can have. */
function servedModels(entries: readonly unknown[], provider: string): readonly ServedModel[] {
  const models = new Map<string, ServedModel>();
  for (const written of entries) {
    if (models.size === mostModels) break;
    const { data } = entry.safeParse(written);
    if (data === undefined || !canBeNamed(data.id, provider) || models.has(data.id)) continue;
    const { id, max_model_len, meta, context_length, context_window } = data;
    const contextWindowTokens = max_model_len ?? meta?.n_ctx ?? context_length ?? context_window ?? 0;
    models.set(id, { provider, providerModel: id, contextWindowTokens });
  }
  return [...models.values()];
}

/** Whether a request can have the name `<provider>/<id>`. Names with control characters are nobody's. */
function canBeNamed(id: string, provider: string): boolean {
  return id.trim() !== "" && provider.length + 1 + id.length <= longestName && !/\p{C}/u.test(id);
}
