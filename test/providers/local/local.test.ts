import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { afterAll, describe, expect, it } from "vitest";
import type { ChatEvent } from "../../../src/chat/stream/events.ts";
import { GatewayError } from "../../../src/errors.ts";
import { AttemptSchema } from "../../../src/gen/dragoman/v1/attempt_pb.js";
import { type ChatRequest, ChatRequestSchema } from "../../../src/gen/dragoman/v1/chat_request_pb.js";
import { FinishReason } from "../../../src/gen/dragoman/v1/completion_pb.js";
import { Role } from "../../../src/gen/dragoman/v1/message_pb.js";
import type { GenerationParametersSchema } from "../../../src/gen/dragoman/v1/parameters_pb.js";
import { UsageQuality } from "../../../src/gen/dragoman/v1/usage_pb.js";
import type { Adapter } from "../../../src/providers/adapter.ts";
import { type LlamaModel, loadEngine } from "../../../src/providers/local/engine.ts";
import { engineFolder, knownModels, localHome } from "../../../src/providers/local/home.ts";
import { modelEntry } from "../../../src/providers/local/models.ts";
import { configured } from "../../support/configured.ts";
import { localFile, missingLocal } from "../../support/local.ts";

type Request = Exclude<MessageInitShape<typeof ChatRequestSchema>, ChatRequest>;
type Parameters = MessageInitShape<typeof GenerationParametersSchema>;

if (missingLocal !== undefined) process.stderr.write(`the tests of the local model are skipped: ${missingLocal}\n`);

const file = localFile();

function createAdapter(options: Readonly<Record<string, unknown>> = {}): Adapter {
  return configured("local", undefined, { apiKey: "", options, environment: process.env });
}

describe.skipIf(missingLocal !== undefined)("the local model", { timeout: 120_000 }, () => {
  const adapter = createAdapter();
  const model = modelEntry(file ?? { name: "", displayName: "" }, []);
  const unending = new AbortController().signal;
  afterAll(() => adapter.close?.());

  function open(request: Request, signal = unending, from = adapter): AsyncIterator<readonly ChatEvent[]> {
    const context = { signal, holder: "account:a", attempt: create(AttemptSchema), queue: { waitsFor: undefined } };
    return from.stream(create(ChatRequestSchema, request), model, context)[Symbol.asyncIterator]();
  }

  async function ask(question: string, parameters: Parameters = {}, more: Request = {}) {
    const asked = { ...more, ...say(question), parameters: { maxOutputTokens: 8, ...parameters } };
    const stream = open(asked);
    const events: ChatEvent[] = [];
    for (let next = await stream.next(); !next.done; next = await stream.next()) events.push(...next.value);
    const values = <Case extends ChatEvent["case"]>(wanted: Case) =>
      events.filter((event) => event.case === wanted).map(({ value }) => value) as Extract<
        ChatEvent,
        { case: Case }
      >["value"][]; // `filter` does not narrow by a type parameter.
    const texts: string[] = [];
    for (const { choiceIndex, delta } of values("delta")) {
      if (delta.case === "text") texts[choiceIndex] = (texts[choiceIndex] ?? "") + delta.value;
    }
    const [completed] = values("completed");
    return { events, texts, deltas: values("delta"), finished: values("finished"), usage: completed?.usage };
  }

  it("gives equal responses to equal requests with another request between", async () => {
    const first = await ask("What is the capital of France?");
    await ask("What is the capital of Spain?");
    const second = await ask("What is the capital of France?");
    expect(second.texts).toEqual(first.texts);
    expect(first.texts[0]).not.toBe("");
    expect(first.events[0]?.case).toBe("started");
    expect(first.events.at(-1)?.case).toBe("completed");
  });

  it("reports output once, with the first delta", async () => {
    let outputs = 0;
    const attempt = { attempt: create(AttemptSchema), queue: { waitsFor: undefined }, onOutput: () => outputs++ };
    const request = create(ChatRequestSchema, { ...say("Count to ten."), parameters: { maxOutputTokens: 4, n: 2 } });
    for await (const [event] of adapter.stream(request, model, { ...attempt, signal: unending, holder: "account:a" })) {
      expect(outputs).toBe(event?.case === "started" ? 0 : 1);
    }
    expect(outputs).toBe(1);
  });

  it("repeats choices with the same seed, and varies them within a call", async () => {
    const parameters = {
      temperature: 2,
      topK: 0,
      topP: 1,
      n: 2,
      seedValue: { case: "seed", value: -(2n ** 63n) },
    } as const;
    const first = await ask("Write a poem.", parameters);
    expect((await ask("Write a poem.", parameters)).texts).toEqual(first.texts);
    expect(first.finished.map(({ choiceIndex }) => choiceIndex)).toEqual([0, 1]);
    expect(first.texts[0]).not.toBe(first.texts[1]);
  });

  it("ends with LENGTH after max_output_tokens, and counts them", async () => {
    const { finished, usage } = await ask("Tell me a long story.", { maxOutputTokens: 3 });
    expect(finished).toMatchObject([{ finishReason: FinishReason.LENGTH, providerFinishReason: "limit" }]);
    expect(usage).toMatchObject({ outputTokens: 3, quality: UsageQuality.EXACT });
  });

  it("ends before a stop sequence, even one that begins inside a token", async () => {
    const [text = ""] = (await ask("What is the capital of France?")).texts;
    const stop = text.slice(5, 9);
    const { texts, finished } = await ask("What is the capital of France?", { stopSequences: ["never said", stop] });
    expect(texts[0] ?? "").toBe(text.slice(0, text.indexOf(stop)));
    expect(finished).toMatchObject([{ finishReason: FinishReason.STOP, matchedStopSequence: stop }]);
  });

  it("counts prompt tokens like the tokenizer and returns logprobs per output token", async () => {
    const { deltas, texts, usage } = await ask(
      "The capital of France is",
      { logprobs: true, topLogprobs: 2 },
      {
        chatTemplate: "{% for message in messages %}{{ message.content }}{% endfor %}",
      },
    );
    const expected = await readTokenizer(
      (tokenizer) =>
        tokenizer.tokenize("The capital of France is", false).length + Number(tokenizer.tokens.shouldPrependBosToken),
    );
    expect(usage?.inputTokens).toBe(expected);
    const entries = deltas.flatMap(({ logprobs }) => logprobs?.tokens ?? []);
    expect(entries.length).toBe(usage?.outputTokens);
    expect(entries.map(({ token }) => token).join("")).toBe(texts[0] ?? "");
    for (const { token, logprob, topLogprobs } of entries) {
      expect(topLogprobs).toHaveLength(2);
      // Greedy sampling selects the most likely token.
      expect(topLogprobs[0]).toMatchObject({ token, logprob });
    }
  });

  it("writes JSON that fits the schema", async () => {
    const schema = {
      type: "object",
      properties: { name: { type: "string", maxLength: 10 }, age: { type: "integer" }, kind: { enum: ["cat", "dog"] } },
      required: ["name", "age", "kind"],
      additionalProperties: false,
    };
    const { texts, finished } = await ask(
      "Rex is a dog and 3 years old. Write JSON.",
      { maxOutputTokens: 100 },
      {
        outputFormat: { format: { case: "jsonSchema", value: { name: "pet", schemaJson: JSON.stringify(schema) } } },
      },
    );
    const pet: Record<string, unknown> = JSON.parse(texts[0] ?? "");
    expect(pet).toEqual({
      name: expect.any(String),
      age: expect.any(Number),
      kind: expect.stringMatching(/^(cat|dog)$/),
    });
    expect(finished).toMatchObject([{ finishReason: FinishReason.STOP, providerFinishReason: "eos" }]);
  });

  it("never splits a character whose bytes are in several tokens", async () => {
    const word = "😀🎉 naïve 日本";
    const { texts, deltas } = await ask(
      "Say it.",
      { maxOutputTokens: 100 },
      {
        outputFormat: {
          format: { case: "jsonSchema", value: { name: "word", schemaJson: JSON.stringify({ const: word }) } },
        },
      },
    );
    expect(JSON.parse(texts[0] ?? "")).toBe(word);
    for (const { delta } of deltas) expect(String(delta.value)).not.toContain("\uFFFD");
  });

  it("never generates a token that logit_bias forbids", async () => {
    const question = "What is the capital of France?";
    const [first] = (await ask(question, { logprobs: true, topLogprobs: 1 })).deltas;
    const text = first?.logprobs?.tokens[0]?.token ?? "";
    const tokens = await readTokenizer((tokenizer) => tokenizer.tokenize(text, false));
    const logitBias = Object.fromEntries(tokens.map((token) => [token, -100]));
    expect((await ask(question, { logitBias })).texts[0]?.startsWith(text)).toBe(false);
  });

  it("stops between two tokens on cancellation and serves the next request", async () => {
    const controller = new AbortController();
    const stream = open(say("Tell me a long story."), controller.signal);
    const started = await stream.next();
    expect(started.value).toMatchObject([{ case: "started" }]);
    await stream.next();
    const reason = new GatewayError("CANCELLED", "the caller went away");
    const pending = stream.next();
    controller.abort(reason);
    await expect(pending).rejects.toBe(reason);
    await expect(ask("Hi", { maxOutputTokens: 1 })).resolves.toBeDefined();
  });

  it("stops during prompt evaluation on cancellation", async () => {
    const controller = new AbortController();
    const stream = open(say("word ".repeat(1000)), controller.signal);
    await stream.next();
    const pending = stream.next();
    const reason = new GatewayError("DEADLINE_EXCEEDED", "too late");
    controller.abort(reason);
    await expect(pending).rejects.toBe(reason);
    await expect(ask("Hi", { maxOutputTokens: 1 })).resolves.toBeDefined();
  });

  it("serves the next request after the consumer stops reading", async () => {
    const stream = open(say("Tell me a long story."));
    await stream.next();
    await stream.next();
    await stream.return?.();
    await expect(ask("Hi", { maxOutputTokens: 1 })).resolves.toBeDefined();
  });

  it("rejects a request with QUEUE_FULL if it is busy and max_queue is 0", async () => {
    const small = createAdapter({ max_queue: 0, context_size: 256 });
    const first = open(say("Hi"), unending, small);
    await first.next();
    await expect(open(say("Hi"), unending, small).next()).rejects.toMatchObject({ reason: "QUEUE_FULL" });
    await first.return?.();
    await small.close?.();
  });

  it("rejects a prompt beyond the context window, with both lengths", async () => {
    await expect(open(say("word ".repeat(3000))).next()).rejects.toMatchObject({
      reason: "CONTEXT_LENGTH_EXCEEDED",
      facts: { metadata: { context_window_tokens: "2048", input_tokens: expect.stringMatching(/^30\d\d$/) } },
    });
  });

  it("rejects an endless template and serves the next request", async () => {
    const chatTemplate = "{% for i in range(1000000000) %}x{% endfor %}";
    await expect(open({ ...say("Hi"), chatTemplate }).next()).rejects.toMatchObject({
      reason: "INVALID_REQUEST",
      facts: { fields: [{ field: ["chat_template"] }] },
    });
    await expect(ask("Hi", { maxOutputTokens: 1 })).resolves.toBeDefined();
  });

  it("reports MODEL_NOT_FOUND for a model that was not prepared", async () => {
    const context = {
      signal: unending,
      holder: "account:a",
      attempt: create(AttemptSchema),
      queue: { waitsFor: undefined },
    };
    const other = modelEntry({ name: "other", displayName: "Other" }, []);
    const stream = adapter.stream(create(ChatRequestSchema, say("Hi")), other, context)[Symbol.asyncIterator]();
    await expect(stream.next()).rejects.toMatchObject({ reason: "MODEL_NOT_FOUND" });
  });
});

/** Loads the model directly in the engine and reads from its tokenizer. */
async function readTokenizer<T>(read: (model: LlamaModel) => T): Promise<T> {
  const { llama } = await loadEngine(engineFolder(localHome(process.env)), 1);
  try {
    return read(await llama.loadModel({ modelPath: file?.path ?? "" }));
  } finally {
    await llama.dispose();
  }
}

function say(value: string) {
  return { messages: [{ role: Role.USER, parts: [{ kind: { case: "text", value } as const }] }] };
}

describe("the options of the local provider", () => {
  it("reports the path of each invalid option", () => {
    expect(() => createAdapter({ threads: 0, gpu: true })).toThrow(/providers\.local\.options\.threads(.|\n)*gpu/);
  });
});

describe("the effective parameters of a local model", () => {
  const effective = (parameters?: Parameters) => {
    const request = create(ChatRequestSchema, { model: "local/m", ...(parameters && { parameters }) });
    return createAdapter().effectiveParameters?.(request, modelEntry(knownModels[0], []));
  };

  it("combines the local defaults with the requested parameters", () => {
    expect(effective()).toMatchObject({ temperature: 0, maxOutputTokens: 512 });
    expect(effective({ temperature: 0.5, topK: 3 })).toMatchObject({ temperature: 0.5, topK: 3, maxOutputTokens: 512 });
  });
});
