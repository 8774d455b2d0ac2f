import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { type Model, type ModelCapabilities, ModelSchema } from "../gen/dragoman/v1/model_pb.js";
import type { Knowledge } from "./knowledge.ts";

type Capabilities = Partial<Readonly<Record<Exclude<keyof ModelCapabilities, `$${string}`>, boolean>>>;

/** One model of a table. A capability that neither the row nor its table sets is false. */
export interface ModelRow extends Capabilities {
  /** The provider's name for the model. */
  readonly model: string;
  /** Display name. */
  readonly name: string;
  /** Context window in tokens; 0: unknown. */
  readonly window: number;
  /** Output limit in tokens. Default 0: unknown. */
  readonly output?: number;
  /** `Model.id`. Default: the result of `ModelTable.idOf`. */
  readonly id?: string;
  readonly aliases?: readonly string[];
  /** Dates of snapshots with the same facts; the provider names them `<model>-<date>`. */
  readonly snapshots?: readonly string[];
  /** Usual length of the vectors of an embedding model. Default 0: unknown, or no embedding model. */
  readonly dimensions?: number;
  /** Unset if the provider does not document it. */
  readonly maxTemperature?: number;
  readonly templateFamily?: string;
  /** Day on which the provider shuts the model down, as `2027-01-14`. Unset: not announced. */
  readonly shutdown?: string;
}

/** Facts that all rows of a table share. A row can override them. */
export interface ModelTable extends Facts, Pick<Knowledge, "sources"> {}

interface Facts extends Capabilities, Pick<ModelRow, "output" | "maxTemperature"> {
  readonly provider: string;
  /** Returns the `Model.id` of a model. Default: `<provider>/<model>`. */
  readonly idOf?: (model: string) => string;
  /** Name in parentheses after each display name, to tell apart providers that serve the same weights. */
  readonly servedBy?: string;
}

/** Capabilities of nearly every current chat model. */
export const chatCapabilities = {
  systemMessages: true,
  tools: true,
  parallelToolCalls: true,
  jsonObject: true,
  jsonSchema: true,
  // If a provider returns only one choice per request, Dragoman sends one request per choice.
  multipleChoices: true,
} as const satisfies Capabilities;

export const noTools = { tools: false, parallelToolCalls: false } as const satisfies Capabilities;

/** Whether a model returns embeddings instead of chat responses. */
export function isEmbeddingModel({ capabilities }: Pick<Model, "capabilities">): boolean {
  return capabilities?.embeddings ?? false;
}

/** Sources of the entries that `modelsOf` built. */
const sources = new WeakMap<Model, Knowledge["sources"]>();

/** Returns the sources of a catalog entry. Undefined if the entry is not a row of a table. */
export function sourcesOf(model: Model): Knowledge["sources"] | undefined {
  return sources.get(model);
}

/** Builds the catalog entries of a table. */
export function modelsOf({ sources: from, ...facts }: ModelTable, rows: readonly ModelRow[]): readonly Model[] {
  const models = rows.flatMap(withSnapshots).map((row) => modelOf(facts, row));
  for (const model of models) sources.set(model, from);
  return models;
}

function withSnapshots(row: ModelRow): readonly ModelRow[] {
  const { model, name, snapshots = [] } = row;
  return [row, ...snapshots.map((date) => ({ ...row, model: `${model}-${date}`, name: `${name} (${date})` }))];
}

/** Builds one catalog entry. Ignores the row's snapshots. */
export function modelOf({ provider, idOf, servedBy, ...shared }: Facts, row: ModelRow): Model {
  const {
    model,
    name,
    window,
    output,
    id,
    aliases = [],
    snapshots: _,
    maxTemperature,
    templateFamily,
    shutdown,
    dimensions = 0,
    ...capabilities
  } = { ...shared, ...row };
  return create(ModelSchema, {
    id: id ?? idOf?.(model) ?? `${provider}/${model}`,
    provider,
    displayName: servedBy === undefined ? name : `${name} (${servedBy})`,
    aliases: [...aliases],
    contextWindowTokens: window,
    maxOutputTokens: output ?? 0,
    providerModel: model,
    templateFamily: templateFamily ?? "",
    embeddingDimensions: dimensions,
    ...(maxTemperature !== undefined && { maxTemperature }),
    ...(shutdown !== undefined && { deprecationTime: timestampFromDate(new Date(shutdown)) }),
    capabilities,
  });
}
