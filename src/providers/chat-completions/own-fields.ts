import type { OwnField } from "../../chat/planning/learned.ts";
import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import type { Model } from "../../gen/dragoman/v1/model_pb.js";
import { lookUp } from "../../look-up.ts";
import { rulesFor, sentEffort } from "./adaptations.ts";
import { withoutEmbeddingFields } from "./embedding-quirks.ts";
import { effortOf, optionalFieldNames, optionalFields, otherNames, pathOf } from "./fields.ts";
import type { Body, Quirks } from "./quirks.ts";

/**
 * Returns the fields of a body that the caller did not request, and those that have two names. `canStream` is whether
 * the server can stream the response.
 */
export function ownFields(request: ChatRequest, model: Model, quirks: Quirks, canStream: boolean): readonly OwnField[] {
  const rules = rulesFor(model, quirks);
  const hasOwnEffort = sentEffort(request, rules) !== effortOf(request) && effortOf(request) === undefined;
  return [
    ...(quirks.streamOptions && canStream ? [{ name: "stream_options", onlyStreamed: true }] : []),
    ...Object.keys(alsoSent(request, quirks)).map((name) => ({ name })),
    ...(hasOwnEffort ? [{ name: "reasoning_effort", field: ["reasoning", "effort"] }] : []),
    ...renamable(request, quirks),
  ];
}

/**
 * Returns the fields of `alsoSend`, except those that only a request with `strict_parameters` gets: they are how the
 * server does what the caller requested.
 */
function alsoSent(request: ChatRequest, { alsoSend }: Quirks): Body {
  return alsoSend?.({ ...request, strictParameters: false }) ?? {};
}

/** Returns the fields of the request for which the API has another name. */
function* renamable(request: ChatRequest, { fields }: Quirks): Generator<OwnField> {
  for (const field of optionalFieldNames) {
    const name = fields[field];
    const otherName = typeof name === "string" ? lookUp(otherNames, name) : undefined;
    if (typeof name !== "string" || otherName === undefined) continue;
    if (optionalFields[field].value(request) !== undefined) yield { name, field: pathOf(field, request), otherName };
  }
}

/** Returns the quirks of a server that rejected some of the own fields. */
export function withoutOwnFields(quirks: Quirks, names: ReadonlySet<string>): Quirks {
  const { fields, streamOptions, alsoSend, effortForTools, embeddings } = quirks;
  const renamed = Object.entries(fields).map(([field, form]) => {
    const otherName = typeof form === "string" && names.has(form) ? lookUp(otherNames, form) : undefined;
    return [field, otherName ?? form];
  });
  return {
    ...quirks,
    fields: Object.fromEntries(renamed),
    streamOptions: names.has("stream_options") ? undefined : streamOptions,
    alsoSend: alsoSend && ((request) => omit(alsoSend(request), names)),
    effortForTools: effortForTools && !names.has("reasoning_effort"),
    ...(embeddings && { embeddings: withoutEmbeddingFields(embeddings, names) }),
  };
}

function omit(body: Body, names: ReadonlySet<string>): Body {
  return Object.fromEntries(Object.entries(body).filter(([name]) => !names.has(name)));
}
