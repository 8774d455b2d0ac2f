import { toJson } from "@bufbuild/protobuf";
import { beforeAll, describe, expect, it } from "vitest";
import { createFold } from "../../src/chat/stream/fold.ts";
import { GatewayError } from "../../src/errors.ts";
import { ChatCompletionSchema } from "../../src/gen/dragoman/v1/completion_pb.js";
import { startAttempt } from "../../src/routing/attempt.ts";
import { ask } from "../support/requests.ts";
import { type Dialect, titleOf } from "./dialect.ts";
import { dialects } from "./load-dialects.ts";
import { type PublishedApi, publishedApis } from "./published/apis.ts";
import { type Instance, instancesOf } from "./published/instances.ts";
import { readPublishedTypes } from "./published/read-types.ts";
import { type Stage, startStage } from "./run.ts";

const made = new Map<PublishedApi, readonly Instance[]>();

beforeAll(() => {
  readPublishedTypes((types) => {
    for (const api of publishedApis) {
      const shape = types.get(api.root);
      if (shape === undefined) throw new Error(`roots.ts has no type ${api.root}`);
      made.set(api, instancesOf(shape, api));
    }
  });
});

interface Told {
  readonly text: string;
  readonly failure: string | undefined;
}

/** Everything that Dragoman tells of a response, as text: the completion, bytes decoded, and the response id. */
async function toldOf(stage: Stage, { model }: Dialect, { form }: PublishedApi): Promise<Told> {
  const { events, attempt } = startAttempt({ model, adapter: stage.adapter }, ask(model.id, "hello"), {
    ...{ signal: new AbortController().signal, holder: "account:a", whole: form === "whole" },
  });
  const fold = createFold();
  let failure: string | undefined;
  try {
    for await (const batch of events) for (const event of batch) fold.add(event);
  } catch (error) {
    if (!(error instanceof GatewayError) || error.reason === "INTERNAL") throw error;
    failure = `${error.reason} ${error.facts.provider?.code}`;
  }
  const json = JSON.stringify(toJson(ChatCompletionSchema, fold.completion));
  return { text: [json, decoded(json), attempt.providerResponseId].join("\n"), failure };
}

/** Returns the texts of the bytes in JSON, which are base64 there. */
function decoded(json: string): string {
  const texts = [...json.matchAll(/"([A-Za-z0-9+/]{8,}={0,2})"/g)].map(([, text = ""]) => text);
  return texts.map((text) => Buffer.from(text, "base64").toString()).join("\n");
}

/** Returns the places of the counts that the dialect reads, without the conditions on items of lists. */
function countsOf({ usage: { names, tools = [] } }: Dialect): ReadonlySet<string> {
  return new Set([...Object.values(names).flat(), ...tools].map((name) => name.replace(/\[.*?\]/g, "")));
}

/** Returns the paths of the marks of a response that Dragoman neither carries nor names in a warning. */
function lostIn(told: string, wire: string | Uint8Array, { value, marks }: Instance): readonly string[] {
  const sent = Buffer.from(wire).toString("latin1");
  const warned = [...told.matchAll(/the response has (.*?)(?: in |, which)/g)].flatMap(([, what = ""]) =>
    what.split(" "),
  );
  const types = [...JSON.stringify(value).matchAll(/"type":"(\w+)"/g)].map(([, type = ""]) => type);
  return [...marks]
    .filter(([mark, path]) => {
      if (!sent.includes(mark) || told.includes(mark)) return false;
      return ![...path.split("."), ...types].some((name) => warned.includes(name));
    })
    .map(([, path]) => path);
}

const named = [...Map.groupBy(publishedApis, ({ dialect }) => dialect)].map(([title, apis]) => ({ title, apis }));

describe.each(named)("the published types of $title", ({ title, apis }) => {
  it("are carried or named in a warning with each of their members", async () => {
    const dialect = dialects.find((each) => titleOf(each) === title) ?? expect.fail(`no dialect ${title}`);
    const counts = countsOf(dialect);
    const lost = new Set<string>();
    const excused = new Set<string>();
    for (const api of apis) {
      const played = (made.get(api) ?? []).flatMap((instance) => {
        const wire = api.play(instance.value);
        return wire === undefined ? [] : [{ instance, wire }];
      });
      await using stage = await startStage(
        dialect,
        api.form,
        ...played.map(({ wire }) => ({ steps: [{ write: wire }] })),
      );
      for (const { instance, wire } of played) {
        const { text, failure } = await toldOf(stage, dialect, api);
        const fails = [...(api.failing ?? [])].some((member) => instance.title.endsWith(member));
        if (fails !== (failure !== undefined)) lost.add(`${api.root}: the error ${failure} with ${instance.title}`);
        for (const path of failure === undefined ? lostIn(text, wire, instance) : []) {
          if (api.usageAt.some((place) => counts.has(path.slice(place.length + 1)) && path.startsWith(place))) continue;
          const excuse = Object.keys(api.silent).find((known) => `${path}.`.startsWith(`${known}.`));
          if (excuse === undefined) lost.add(`${api.root}: ${path}`);
          else excused.add(excuse);
        }
      }
    }
    expect([...lost]).toEqual([]);
    // A field that is carried needs no excuse.
    expect([...excused].sort()).toEqual([...new Set(apis.flatMap(({ silent }) => Object.keys(silent)))].sort());
  });
});
