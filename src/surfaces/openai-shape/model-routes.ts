import { timestampDate } from "@bufbuild/protobuf/wkt";
import { GatewayError } from "../../errors.ts";
import type { Model } from "../../gen/dragoman/v1/model_pb.js";
import { type LookupRequest, lookupRoute } from "../kit/lookup.ts";
import type { Route } from "../kit/route.ts";
import type { ToError } from "../kit/surface.ts";
import { isInNamespace, type ModelNamespace, nameInNamespace } from "./namespace.ts";

/** Definition of one API's model endpoints. */
interface ModelRoutes {
  /** Method name in call records. */
  readonly name: string;
  /** Path before `/models`. */
  readonly prefix: string;
  /** Undefined: all models of the catalog. */
  readonly namespace: ModelNamespace | undefined;
  readonly toError: ToError;
}

/** Makes the routes that list models and return one model, in OpenAI's shape. */
export function modelRoutes({ name, prefix, namespace, toError }: ModelRoutes): readonly Route[] {
  return [
    lookupRoute({ name, path: `${prefix}/models`, toError, lookUp: (request) => listModels(namespace, request) }),
    // Model names contain slashes. Some clients percent-encode them, others do not.
    lookupRoute({
      name,
      path: `${prefix}/models/{model*}`,
      toError,
      lookUp: (request) => getModel(namespace, request),
    }),
  ];
}

async function listModels(namespace: ModelNamespace | undefined, { catalog, list }: LookupRequest): Promise<object> {
  const models = (await list()).filter((model) => namespace === undefined || isInNamespace(model, namespace, catalog));
  return { object: "list", data: models.map((model) => toModelObject(model, namespace)) };
}

async function getModel(namespace: ModelNamespace | undefined, request: LookupRequest): Promise<object> {
  const { catalog, get, parameters } = request;
  const { model: written = "" } = parameters;
  if (written === "") throw new GatewayError("MODEL_NOT_FOUND", "the path has no model name after /models/");
  const name = namespace ? nameInNamespace(written, namespace, catalog) : written;
  return toModelObject(await get(name), namespace);
}

/** OpenAI's model object. Dragoman does not know when a model was created. */
function toModelObject({ id, provider, deprecationTime }: Model, namespace: ModelNamespace | undefined): object {
  const prefix = namespace === undefined ? "" : `${namespace.provider}/`;
  const name = id.startsWith(prefix) ? id.slice(prefix.length) : id;
  const shutdown = deprecationTime && timestampDate(deprecationTime).toISOString().slice(0, 10);
  return { id: name, object: "model", created: 0, owned_by: provider, ...(shutdown && { shutdown_date: shutdown }) };
}
