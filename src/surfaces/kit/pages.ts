import type { IncomingMessage, ServerResponse } from "node:http";
import { lookupAccount } from "../../accounts/keys.ts";
import { GatewayError } from "../../errors.ts";
import type { Model } from "../../gen/dragoman/v1/model_pb.js";
import type { Catalog } from "../../models/catalog.ts";
import { toGatewayError } from "../../server/services/error-details.ts";
import type { Gateway } from "../../server/services/gateway.ts";
import { cerebrasNamespace, cerebrasSurface } from "../cerebras/index.ts";
import { deepinfraNamespace, deepinfraSurface } from "../deepinfra/index.ts";
import { openaiSurface } from "../openai/index.ts";
import { listNamespace, type ModelNamespace, nameInNamespace } from "../openai-shape/models.ts";
import { decodePart } from "./decode-path.ts";
import { httpHeadersOf } from "./http-status.ts";
import { sendJson } from "./send.ts";
import { sourceOf } from "./serve-surface.ts";
import type { ChatSurface } from "./surface.ts";

/** The pages of one API beside its chat completions. */
interface PageSet {
  /** What its clients put before `/models`. */
  readonly prefix: string;
  /** Whose errors the pages have. */
  readonly surface: ChatSurface;
  /** Undefined: every model of the catalog. */
  readonly namespace: ModelNamespace | undefined;
}

const pageSets: readonly PageSet[] = [
  { prefix: "/cerebras/v1", surface: cerebrasSurface, namespace: cerebrasNamespace },
  { prefix: "/v1/openai", surface: deepinfraSurface, namespace: deepinfraNamespace },
  { prefix: "/v1", surface: openaiSurface, namespace: undefined },
];

/** Asked for by Cerebras' clients when they are made, to have a connection. They read no more than that it worked. */
const warmingPath = "/cerebras/v1/tcp_warming";

/** Answers the lookups of these APIs, in OpenAI's shape; false when the path is none of them. */
export function servePages(
  gateway: Gateway,
  path: string,
  request: IncomingMessage,
  response: ServerResponse,
): boolean {
  const page = path === warmingPath ? () => sendJson(response, 200, {}) : findPage(gateway, path, request, response);
  if (page === undefined) return false;
  // Node leaves the body of an answer to HEAD out.
  if (request.method === "GET" || request.method === "HEAD") page();
  else response.writeHead(405, { allow: "GET, HEAD" }).end();
  return true;
}

function findPage(
  gateway: Gateway,
  path: string,
  request: IncomingMessage,
  response: ServerResponse,
): (() => void) | undefined {
  for (const set of pageSets) {
    const models = `${set.prefix}/models`;
    if (path === models) return () => answer(gateway, set, request, response, listModels);
    if (!path.startsWith(`${models}/`)) continue;
    // Names have slashes, which some clients encode and others do not.
    const name = decodePart(path.slice(models.length + 1));
    return () => answer(gateway, set, request, response, (...lookup) => getModel(name, ...lookup));
  }
  return undefined;
}

type Lookup = (set: PageSet, catalog: Catalog, account: string) => unknown;

/** Authenticates and answers. Lookups have no record. */
function answer(
  { authenticate, catalog }: Gateway,
  set: PageSet,
  request: IncomingMessage,
  response: ServerResponse,
  lookUp: Lookup,
): void {
  const { requestHeader } = sourceOf(request, response);
  try {
    const account = lookupAccount(authenticate(requestHeader), requestHeader.get("x-selected-account-id"));
    sendJson(response, 200, lookUp(set, catalog, account));
  } catch (thrown) {
    const error = toGatewayError(thrown);
    const { status, headers, body } = set.surface.toError(error, "");
    for (const [name, value] of Object.entries({ ...httpHeadersOf(error), ...headers })) {
      response.setHeader(name, value);
    }
    sendJson(response, status, body);
  }
}

function listModels({ namespace }: PageSet, catalog: Catalog, account: string): object {
  const models = namespace ? listNamespace(namespace, catalog, account) : catalog.list(undefined, account);
  return { object: "list", data: models.map((model) => toPage(model, namespace)) };
}

function getModel(name: string, { namespace }: PageSet, catalog: Catalog, account: string): object {
  if (name === "") throw new GatewayError("MODEL_NOT_FOUND", "the model's name is missing after the slash");
  const model = catalog.resolve(namespace ? nameInNamespace(name, namespace, catalog) : name, account);
  return toPage(model, namespace);
}

/** OpenAI's model object. When a model was made is not known here. */
function toPage({ id, provider }: Model, namespace: ModelNamespace | undefined): object {
  const prefix = `${namespace?.provider}/`;
  const name = namespace !== undefined && id.startsWith(prefix) ? id.slice(prefix.length) : id;
  return { id: name, object: "model", created: 0, owned_by: provider };
}
