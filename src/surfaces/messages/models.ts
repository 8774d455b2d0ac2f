import { timestampMs } from "@bufbuild/protobuf/wkt";
import { type FieldViolation, GatewayError, invalidRequest } from "../../errors.ts";
import type { Model } from "../../gen/dragoman/v1/model_pb.js";
import { type LookupRequest, lookupRoute } from "../kit/lookup.ts";
import type { Route } from "../kit/route.ts";
import { requestIdHeader, toMessagesError } from "./errors.ts";

const shared = {
  name: "messages-models",
  // OpenAI's API has the same paths. Clients of Anthropic's API always send this header.
  requires: "anthropic-version",
  requestIdHeader,
  toError: toMessagesError,
};

/** Routes that list models and return one model. https://platform.claude.com/docs/en/api/models-list */
export const modelRoutes: readonly Route[] = [
  lookupRoute({ ...shared, path: "/v1/models", lookUp: listModels }),
  // Model names contain slashes. Some clients percent-encode them, others do not.
  lookupRoute({ ...shared, path: "/v1/models/{model*}", lookUp: getModel }),
];

const defaultLimit = 20;
const mostModels = 1000;

async function listModels({ list, query }: LookupRequest): Promise<object> {
  const models = (await list()).map(toModelInfo);
  const ids = models.map(({ id }) => id);
  const [after, before] = [query.get("after_id"), query.get("before_id")];
  const limit = limitOf(query.get("limit"));
  const from = after === null ? 0 : placeOf(after, ids, "after_id") + 1;
  const to = before === null ? ids.length : placeOf(before, ids, "before_id");
  const data =
    before === null || after !== null
      ? models.slice(from, Math.min(to, from + limit))
      : models.slice(Math.max(0, to - limit), to);
  const [first, last] = [data[0]?.id ?? null, data.at(-1)?.id ?? null];
  const has_more = before === null || after !== null ? from + data.length < to : to > data.length;
  return { data, has_more, first_id: first, last_id: last };
}

async function getModel({ get, parameters }: LookupRequest): Promise<object> {
  const { model: name = "" } = parameters;
  if (name === "") throw new GatewayError("MODEL_NOT_FOUND", "the path has no model name after /models/");
  return toModelInfo(await get(name));
}

function limitOf(text: string | null): number {
  if (text === null) return defaultLimit;
  const limit = Number(text);
  if (/^\d{1,4}$/.test(text) && limit >= 1 && limit <= mostModels) return limit;
  throw wrong("limit", `must be an integer from 1 to ${mostModels}`);
}

function placeOf(id: string, ids: readonly string[], name: string): number {
  const place = ids.indexOf(id);
  if (place >= 0) return place;
  throw wrong(name, "is not the id of a listed model");
}

function wrong(name: string, description: string): GatewayError {
  const violation: FieldViolation = { root: "body", field: [name], description };
  return invalidRequest([violation]);
}

/** Anthropic's model object. Dragoman does not know when a model was created; Anthropic also sends 1970 then. */
function toModelInfo({ id, displayName, contextWindowTokens, maxOutputTokens, deprecationTime }: Model) {
  const retiresMs = deprecationTime && timestampMs(deprecationTime);
  return {
    type: "model",
    id,
    display_name: displayName || id,
    created_at: "1970-01-01T00:00:00Z",
    max_input_tokens: contextWindowTokens || null,
    max_tokens: maxOutputTokens || null,
    lifecycle: retiresMs === undefined ? "active" : retiresMs > Date.now() ? "deprecated" : "retired",
    deprecated_at: null,
    retires_at: retiresMs === undefined ? null : new Date(retiresMs).toISOString(),
    capabilities: null,
    line: null,
  } as const;
}
