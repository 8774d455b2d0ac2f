import fc from "fast-check";
import { expect, it } from "vitest";
import {
  answers,
  begins,
  cutsInBody,
  endsEarly,
  failsInside,
  isStreamed,
  limits,
  malformed,
  type Play,
  rejects,
  resets,
  resetsInBody,
  stalls,
  stallsAfterHeaders,
  stallsInBody,
  wholeBody,
} from "../../support/chat-upstream.ts";
import { streamEnd, textChunk } from "../../support/openai-wire.ts";
import { forms, startRouted, until } from "./harness.ts";

const names = ["a", "b", "c"] as const;
const parts = ["one ", "two ", "three ", "four"];
const full = parts.join("");

/** Answers in several segments. */
const answersInParts: Play = (request) =>
  isStreamed(request)
    ? { steps: [...parts.map((part) => ({ write: textChunk(part) })), { write: streamEnd }] }
    : { headers: { "content-type": "application/json" }, steps: [{ write: wholeBody(full) }] };

const plays = {
  ...{ answersInParts, answers: answers(full), unavailable: rejects(503), broken: rejects(500), limits: limits(100) },
  ...{ resets, stalls, stallsAfterHeaders, cutsInBody, endsEarly, failsInside, malformed, resetsInBody, stallsInBody },
  cutsLater: begins("one ", { cut: true }),
} satisfies Record<string, Play>;

/** Half of the requests get an answer. */
const anyPlay = fc.oneof(
  fc.constant("answersInParts" as const),
  fc.constantFrom(...(Object.keys(plays) as (keyof typeof plays)[])),
);

const anyCall = fc.record({
  form: fc.constantFrom(...forms),
  model: fc.constantFrom("weighted", "latency", "hedged", "tiers", "a/m"),
  timeoutMs: fc.constantFrom(undefined, undefined, 400, 2_000),
  /** When the caller cancels. */
  cancels: fc.constantFrom("never", "never", "never", "when a provider is asked", "with the first text"),
});

const anyStorm = fc.record({
  calls: fc.array(anyCall, { minLength: 40, maxLength: 40 }),
  scripts: fc.tuple(...names.map(() => fc.array(anyPlay, { minLength: 20, maxLength: 40 }))),
});

const targets = names.map((name) => `{ model: ${name}/m }`).join(", ");
const rules =
  "attempts: { max: 4, per_target: 2 }, retry: { backoff: { initial: 5ms, max: 20ms } }, timeouts: { first_output: 200ms, idle: 200ms }";
const yaml = `routes:
  weighted: { tiers: [{ targets: [${targets}] }], ${rules} }
  latency: { tiers: [{ targets: [${targets}], balance: latency }], ${rules} }
  hedged: { tiers: [{ targets: [${targets}] }], hedge: { after: 30ms, budget: 1 }, ${rules} }
  tiers: { tiers: [${names.map((name) => `{ targets: [{ model: ${name}/m }] }`).join(", ")}], ${rules} }
breaker: { open: 50ms, open_max: 200ms, ramp: 100ms }
`;

it("in any storm of failures each call gets a whole response or an error, has one record, and leaves nothing behind", async () => {
  await fc.assert(
    fc.asyncProperty(anyStorm, async ({ calls, scripts }) => {
      const sections = Object.fromEntries(names.map((name) => [name, "timeouts: { first_event: 1s, idle: 1s }"]));
      const { service, call, at, close } = await startRouted({ providers: names, sections, yaml });
      /** By the prompt of the call. */
      const cancels = new Map<string, () => void>();
      let reset = 0;
      const watched =
        (play: Play): Play =>
        (request) => {
          if (play === resets) reset++;
          cancels.get(JSON.parse(request.body).messages.at(-1).content)?.();
          return play(request);
        };
      for (const [index, name] of names.entries()) {
        at[name].plays(...[...(scripts[index] ?? []).map((play) => plays[play]), answersInParts].map(watched));
      }
      const got = await Promise.all(
        calls.map(({ form, model, timeoutMs, cancels: when }, index) => {
          const controller = new AbortController();
          const text = `call ${index}`;
          if (when === "when a provider is asked") cancels.set(text, () => controller.abort());
          const onText = () => when === "with the first text" && controller.abort();
          return call(form, { model, text, ...(timeoutMs && { timeoutMs }), signal: controller.signal, onText });
        }),
      );
      for (const [index, { text, reason, record, recorded, partial, attempts }] of got.entries()) {
        if (reason === "") expect(text).toBe(full);
        else if (partial && calls[index]?.form === "gRPC stream") expect(text).not.toBe("");
        if (text !== "" && reason !== "") expect(full.startsWith(text) || text === "half ").toBe(true);
        expect(record.attempts.every(({ outcome }) => outcome > 0)).toBe(true);
        if (reason === "" && record.outcome === "ok") expect(attempts).toHaveLength(recorded.length);
        if (record.outcome === "ok")
          expect(record.attempts.filter(({ failureReason }) => failureReason === "")).toHaveLength(1);
      }
      await until(() => service.routing.targets().every(({ inFlight, queueLength }) => inFlight + queueLength === 0));
      expect(service.records).toHaveLength(calls.length);
      const made = service.records.flatMap(({ attempts }) => attempts);
      // An attempt that ends before it is sent reaches nobody. A connection that was open before and is reset without a
      // byte of the response is no attempt: the request is sent again on a new one.
      const received = names.reduce((sum, name) => sum + at[name].requests.length, 0);
      expect(received).toBeLessThanOrEqual(made.length + reset);
      const faults = service.faults.filter(({ reason }) => reason === "INTERNAL");
      expect(faults.map(({ cause, message }) => [message, cause])).toEqual([]);
      await close();
    }),
    { numRuns: 6, endOnFailure: true },
  );
}, 120_000);
