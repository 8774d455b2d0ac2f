import { create, toJson } from "@bufbuild/protobuf";
import fc from "fast-check";
import { ChatRequestSchema } from "../../../src/gen/dragoman/v1/chat_request_pb.js";
import { dialects } from "../../contract/load-dialects.ts";
import { apiNames, apis } from "../../surfaces/apis.ts";
import { changedJson, hostileJson, type JsonChange, placesOf } from "../../surfaces/json-changes.ts";
import type { Attack } from "../driver.ts";
import { mutated } from "../mutate.ts";
import { jsonRequest } from "../shoot.ts";
import { type RequestShot, toBytes } from "../shot.ts";
import { modelOf } from "../target.ts";

const providerModels = dialects.map(modelOf);

/** Valid bodies with their paths. */
const bodies: fc.Arbitrary<readonly [path: string, body: unknown]> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.tuple(fc.constantFrom(...apiNames), fc.boolean()).map(([name, stream]) => {
      const { path, full } = apis[name];
      return [path, { ...full, stream }] as const;
    }),
  },
  // The other providers read the same request in their own ways.
  fc
    .tuple(fc.constantFrom(...providerModels), fc.boolean())
    .map(([model, stream]) => [apis.openai.path, { ...apis.openai.full, model, stream }] as const),
  fc.tuple(fc.constantFrom(...dialects), fc.constantFrom("CompleteChat", "PlanChat")).map(([dialect, method]) => {
    const chat = create(ChatRequestSchema, { ...dialect.everything.request, model: modelOf(dialect) });
    return [`/dragoman.v1.ChatService/${method}`, { chat: toJson(ChatRequestSchema, chat) }] as const;
  }),
  fc.constant(["/dragoman.v1.ModelService/ListModels", { pageSize: 3, pageToken: "", filter: {} }] as const),
  fc.constant(["/dragoman.admin.v1.RoutingService/ListTargets", { pageSize: 3, pageToken: "a", route: "r" }] as const),
);

const changes = fc.array(
  fc.record({
    place: fc.nat(),
    kind: fc.constantFrom<JsonChange>("replace", "remove", "add", "repeat"),
    text: hostileJson,
  }),
  { minLength: 1, maxLength: 3 },
);

const maxLength = 15_000;

/** Applies changes while the body stays JSON that can be read, and does not become deep or large. */
function changeBody(body: unknown, list: readonly { place: number; kind: JsonChange; text: string }[]): string {
  let text = JSON.stringify(body);
  for (const { place, kind, text: value } of list) {
    let parsed: unknown;
    if (text.length > maxLength) return text;
    try {
      parsed = JSON.parse(text);
    } catch {
      return text;
    }
    const places = placesOf(parsed);
    text = changedJson(parsed, places[place % places.length] ?? [], kind, value) ?? "";
  }
  return text;
}

const byStructure = fc
  .tuple(bodies, changes)
  .map(([[path, body], list]): RequestShot => jsonRequest(path, changeBody(body, list)));

const byBytes = bodies.chain(([path, body]) =>
  mutated(fc.constant(toBytes(Buffer.from(JSON.stringify(body)))), [
    '"',
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\\u",
    "\\",
    "\xed\xa0\x80",
    "\xff",
    "\0",
    "\xef\xbb\xbf",
    "1e999",
    "-",
    "//",
    "\\ud83d",
  ]).map((bytes): RequestShot => ({ to: "HTTP", path, headers: { "content-type": "application/json" }, body: bytes })),
);

const oddHeaders = fc
  .tuple(
    bodies,
    fc.constantFrom<Record<string, string>>(
      { "content-type": "application/json; charset=utf-16" },
      { "content-type": "text/json" },
      { "content-type": "application/vnd.x+json" },
      { "content-type": "application/json", "content-encoding": "gzip" },
      { "content-type": "application/json", "content-encoding": "x" },
      { "content-type": "application/connect+json" },
      { "content-type": "application/grpc-web+json" },
    ),
  )
  .map(([[path, body], headers]): RequestShot => ({ ...jsonRequest(path, JSON.stringify(body)), headers }));

/** Hostile JSON for every HTTP API and for Connect. */
export const json: Attack = {
  name: "json",
  shots: fc.oneof({ weight: 6, arbitrary: byStructure }, { weight: 3, arbitrary: byBytes }, oddHeaders),
};
