import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { isApplicable } from "../../contract/dialect.ts";
import { checkEvents, type WireEvent } from "../responses/event-rules.ts";
import type { Client, FailedCall } from "./client.ts";
import { clients } from "./clients.ts";
import { type Cell, prepare, type Stage, startStage } from "./lab.ts";
import { failureNames, greeting, half, type Provider, place, providers } from "./providers.ts";
import { AnswerLog } from "./published.ts";

let stage: Stage;
const log = new AnswerLog();
beforeAll(async () => {
  stage = await startStage();
});
afterAll(() => stage[Symbol.asyncDispose]());

describe.each(clients)("the client $name", (client) => {
  const forms = [false, true].filter((streamed) => streamed || client.whole === true);

  describe.each(providers)("with $name", (provider) => {
    const cell = () => prepare(stage, client, provider, log);

    describe.each(forms)("streamed: %s", (streamed) => {
      it("reads a text and its usage", async () => {
        const pieces: string[] = [];
        const said = await client.ask(cell(), {
          prompt: provider.prompt("text"),
          streamed,
          onText: (piece) => pieces.push(piece),
        });
        expect(said.text).toBe(greeting.join(""));
        expect(pieces.join("")).toBe(streamed ? said.text : "");
        const { outcome, usage } = await stage.service.nextRecord();
        expect(outcome).toBe("ok");
        expect([said.inputTokens, said.outputTokens]).toEqual([usage?.inputTokens, usage?.outputTokens]);
      });

      it("runs its tool over all rounds", () => runsTools(cell(), client, streamed));

      if (typeof client.json === "function") {
        const { json } = client;
        it("reads JSON of a schema", async () => {
          const own = cell();
          expect(await json(own, provider.prompt("json"), streamed)).toEqual(place);
          for (const { body } of own.requests()) expect(body).toContain("degrees");
        });
      }

      it("throws its own errors", () => throwsErrors(cell, client, provider, streamed));

      it("cancels the provider's request", async () => {
        const own = cell();
        const gone = new AbortController();
        const asked = provider.dialect ? own.nextRequest() : stage.nextCall().then(() => undefined);
        const call = client.ask(own, {
          prompt: provider.prompt("stall"),
          streamed,
          signal: gone.signal,
          onText: () => gone.abort(),
        });
        const ended = call.then(
          () => undefined,
          (error: Error) => error.constructor.name,
        );
        const request = await asked;
        if (!streamed) gone.abort();
        await request?.aborted;
        expect(await ended).toBe(client.aborted[streamed ? "streamed" : "whole"]);
        expect(await stage.service.nextRecord()).toMatchObject({ outcome: "cancelled" });
      });
    });

    it("throws if the provider breaks off in a stream", async () => {
      const pieces: string[] = [];
      const call = client.ask(cell(), {
        ...{ prompt: provider.prompt("cut"), model: otherModel(provider), streamed: true },
        onText: (piece) => pieces.push(piece),
      });
      const error = await call.then(() => expect.fail("the call did not fail"), client.thrown);
      expect([error, pieces]).toEqual([client.brokenOff, [half]]);
      expect(await stage.service.nextRecord()).toMatchObject({ outcome: "failed" });
    });
  });
});

async function runsTools(own: Cell, client: Client, streamed: boolean): Promise<void> {
  const { provider } = own;
  expect(await client.runTools(own, streamed)).toBe(provider.report);
  expect(own.cities).toEqual(provider.rounds.flat());
  const requests = own.requests();
  if (provider.dialect) expect(requests).toHaveLength(provider.rounds.length + 1);
  const rounds = [...provider.rounds, "the report"].map(() => "ok");
  for (const outcome of client.loopBegins ? [client.loopBegins, ...rounds] : rounds) {
    expect(await stage.service.nextRecord()).toMatchObject({ outcome });
  }
  const { state } = provider;
  if (state === undefined) return;
  const returned = requests.slice(1).every(({ body }) => body.includes(state.text));
  expect(returned, `the model's ${state.kind} is sent back`).toBe(client.sendsBack[state.kind] === true);
}

let others = 0;

/** Returns the name of a model of its own, so that Dragoman does not avoid the provider's model after a failure. */
function otherModel({ model }: Provider): string {
  others++;
  return `${model}-${others}`;
}

async function throwsErrors(cell: () => Cell, client: Client, provider: Provider, streamed: boolean): Promise<void> {
  const thrown = async (ask: object, prompt: Parameters<Provider["prompt"]>[0] = "text") => {
    const call = client.ask(cell(), { prompt: provider.prompt(prompt), streamed, ...ask });
    return await call.then(() => expect.fail("the call did not fail"), client.thrown);
  };
  const own: (readonly [FailedCall, object])[] = [["unknown model", { model: "none/none" }]];
  if (client.canBeWrong === true) own.push(["wrong field", { isWrong: true }]);
  // Dragoman itself rejects these, whichever provider would answer.
  for (const [name, ask] of provider === providers[0] ? own : []) {
    expect(await thrown(ask), name).toEqual(client.errors[name]);
  }
  for (const name of failureNames)
    expect(await thrown({ model: otherModel(provider) }, name), name).toEqual(client.errors[name]);
}

it("gives a reason for each hole", () => {
  const reasons = clients.flatMap(({ whole, json, canBeWrong, sendsBack }) =>
    [whole, json, canBeWrong, ...Object.values(sendsBack)].filter(
      (entry) => typeof entry === "object" && !isApplicable(entry),
    ),
  );
  for (const reason of reasons) expect(reason).toEqual({ why: expect.stringMatching(/^\S.{10,}$/) });
});

it("gets only streams of the Responses API that follow its rules", () => {
  expect(log.streams.length).toBeGreaterThan(100);
  for (const events of log.streams) checkEvents(events as readonly WireEvent[]);
});

it("gets only values of the vendors' published types", async () => {
  expect(log.count).toBeGreaterThan(100);
  expect(await log.problems()).toEqual([]);
});
