import { create } from "@bufbuild/protobuf";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { attemptsHeader, routingHeaders, targetHeader } from "../../src/calls/answer-headers.ts";
import { formatItem } from "../../src/calls/structured-field.ts";
import { type Attempt, AttemptOutcome, AttemptSchema } from "../../src/gen/dragoman/v1/attempt_pb.js";

/** Item of a structured field, with its parameters. */
interface Item {
  readonly value: string;
  readonly parameters: Readonly<Record<string, string>>;
}

/** Parses a list of a structured field as RFC 9651, section 4.2 does. Throws if it is malformed. */
function parseList(field: string): Item[] {
  let rest = field;
  const take = (pattern: RegExp): string => {
    const [found] = pattern.exec(rest) ?? expect.fail(`malformed at ${JSON.stringify(rest)}`);
    rest = rest.slice(found.length);
    return found;
  };
  const bareItem = (): string => {
    if (/^\d/.test(rest)) return take(/^\d{1,15}/);
    if (rest.startsWith('"'))
      return take(/^"(?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*"/)
        .slice(1, -1)
        .replace(/\\(.)/g, "$1");
    if (rest.startsWith("%")) {
      return decodeURIComponent(take(/^%"(?:%[0-9a-f]{2}|[\x20\x21\x23\x24\x26-\x7e])*"/).slice(2, -1));
    }
    return take(/^[A-Za-z*][\w!#$%&'*+\-.^`|~:/]*/);
  };
  const items: Item[] = [];
  while (rest !== "") {
    if (items.length > 0) take(/^, /);
    const value = bareItem();
    const parameters: Record<string, string> = {};
    while (rest.startsWith(";")) {
      const name = take(/^;[a-z*][a-z0-9_\-.*]*/).slice(1);
      take(/^=/);
      parameters[name] = bareItem();
    }
    items.push({ value, parameters });
  }
  return items;
}

const anyText = fc.oneof(
  fc.string({ unit: "binary", minLength: 1 }),
  fc.string({
    unit: fc.constantFrom("a", "/", ".", '"', "\\", "%", " ", ",", ";", "\n", "é", "👩‍🚀", "\ud83d"),
    minLength: 1,
  }),
  fc.constantFrom("openai/gpt-5.5", "bedrock/anthropic.claude-3:0", "vllm/org/model@main"),
);

const anyAttempt: fc.Arbitrary<Attempt> = fc
  .record({
    target: fc.oneof(anyText, fc.string({ unit: "grapheme", minLength: 200, maxLength: 400 })),
    credential: fc.oneof(fc.constant(""), anyText),
    failureReason: fc.constantFrom("", "PROVIDER_UNAVAILABLE", "PROVIDER_RATE_LIMITED"),
    outcome: fc.constantFrom(
      AttemptOutcome.UNSPECIFIED,
      AttemptOutcome.ANSWERED,
      AttemptOutcome.FAILED,
      AttemptOutcome.ABANDONED,
    ),
    ms: fc.option(fc.nat(), { nil: undefined }),
  })
  .map(({ ms, ...fields }) =>
    create(AttemptSchema, { ...fields, ...(ms !== undefined && { duration: durationFromMs(ms) }) }),
  );

const headersOf = (attempts: readonly Attempt[], failed = false): Record<string, string> =>
  Object.fromEntries(routingHeaders({ attempts }, failed));

describe("an item of a structured field", () => {
  it("is the text itself, whatever its characters", () => {
    fc.assert(
      fc.property(anyText, (text) => {
        expect(parseList(formatItem(text, 10_000))).toEqual([{ value: text.toWellFormed(), parameters: {} }]);
      }),
    );
  });

  it("is a beginning of the text, if the whole text is too long", () => {
    fc.assert(
      fc.property(anyText, fc.integer({ min: 16, max: 40 }), (text, maxLength) => {
        const item = formatItem(text, maxLength);
        expect(item.length).toBeLessThanOrEqual(maxLength);
        expect(text.toWellFormed().startsWith(parseList(item)[0]?.value ?? "none")).toBe(true);
      }),
    );
  });

  it("is readable for the usual names", () => {
    expect(formatItem("openai/gpt-5.5", 512)).toBe("openai/gpt-5.5");
    expect(formatItem("vllm/org/model@main", 512)).toBe('"vllm/org/model@main"');
    expect(formatItem("vllm/größe", 512)).toBe('%"vllm/gr%c3%b6%c3%9fe"');
  });
});

describe("the header x-dragoman-attempts", () => {
  it("has the last attempts, and how many came before them, in at most 16 items and 2,048 characters", () => {
    fc.assert(
      fc.property(fc.array(anyAttempt, { minLength: 1, maxLength: 40 }), fc.boolean(), (attempts, failed) => {
        const value = headersOf(attempts, failed)[attemptsHeader] ?? "";
        expect(value.length).toBeLessThanOrEqual(2048);
        expect(value).toMatch(/^[\x20-\x7e]+$/);
        const items = parseList(value);
        expect(items.length).toBeGreaterThan(0);
        expect(items.length).toBeLessThanOrEqual(16);
        const omitted = attempts.length - items.length;
        expect(items[0]?.parameters.omitted).toBe(omitted > 0 ? String(omitted) : undefined);
        for (const [index, { value: target, parameters }] of items.entries()) {
          const attempt = attempts[omitted + index];
          expect(attempt?.target.toWellFormed().startsWith(target)).toBe(true);
          expect(parameters.reason ?? "").toBe(attempt?.failureReason);
          expect(parameters.ms).toBe(
            attempt?.duration && String(Number(attempt.duration.seconds) * 1000 + attempt.duration.nanos / 1e6),
          );
          expect(parameters.key === undefined).toBe(attempt?.credential === "");
        }
      }),
    );
  });

  it("names each attempt's target, key, reason and time", () => {
    const attempts = [
      create(AttemptSchema, {
        target: "openai/gpt-5.5",
        credential: "a",
        outcome: AttemptOutcome.FAILED,
        failureReason: "PROVIDER_UNAVAILABLE",
        duration: durationFromMs(132),
      }),
      create(AttemptSchema, {
        target: "anthropic/claude",
        outcome: AttemptOutcome.ANSWERED,
        duration: durationFromMs(840),
      }),
    ];
    expect(headersOf(attempts)).toEqual({
      [targetHeader]: "anthropic/claude",
      [attemptsHeader]: "openai/gpt-5.5;key=a;reason=PROVIDER_UNAVAILABLE;ms=132, anthropic/claude;ms=840",
    });
  });

  it("is absent without attempts", () => {
    expect(headersOf([])).toEqual({});
    expect(headersOf([], true)).toEqual({});
  });
});

describe("the header x-dragoman-target", () => {
  const attempt = (target: string, outcome: AttemptOutcome, firstOutputMs?: number) =>
    create(AttemptSchema, {
      target,
      outcome,
      ...(firstOutputMs !== undefined && { firstOutputDuration: durationFromMs(firstOutputMs) }),
    });
  const { ANSWERED, FAILED, ABANDONED, UNSPECIFIED } = AttemptOutcome;

  it.each([
    ["of the attempt that was answered", [attempt("a/1", FAILED), attempt("b/2", ANSWERED)], "b/2"],
    [
      "of an earlier attempt, if a later one was abandoned",
      [attempt("a/1", ANSWERED), attempt("b/2", ABANDONED)],
      "a/1",
    ],
    [
      "of the attempt with output, while several run",
      [attempt("a/1", UNSPECIFIED, 5), attempt("b/2", UNSPECIFIED)],
      "a/1",
    ],
    ["of the last attempt that runs, before any output", [attempt("a/1", FAILED), attempt("b/2", UNSPECIFIED)], "b/2"],
    ["absent if no attempt is left", [attempt("a/1", FAILED), attempt("b/2", ABANDONED)], undefined],
  ])("is %s", (_, attempts, target) => {
    expect(headersOf(attempts)[targetHeader]).toBe(target);
  });

  it("is absent if the call failed, also if an attempt was answered", () => {
    fc.assert(
      fc.property(fc.array(anyAttempt), (attempts) => {
        expect(headersOf(attempts, true)).not.toHaveProperty(targetHeader);
      }),
    );
  });
});
