import { create } from "@bufbuild/protobuf";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { GatewayError } from "../../../src/errors.ts";
import { AttemptSchema } from "../../../src/gen/dragoman/v1/attempt_pb.js";
import { EmbeddingService, EmbeddingTask } from "../../../src/gen/dragoman/v1/embedding_service_pb.js";
import { ModelService } from "../../../src/gen/dragoman/v1/model_service_pb.js";
import { UsageQuality } from "../../../src/gen/dragoman/v1/usage_pb.js";
import { loadEngine, type Token } from "../../../src/providers/local/engine.ts";
import {
  embeddingModels,
  engineFolder,
  knownModels,
  localHome,
  prepareCommand,
} from "../../../src/providers/local/home.ts";
import { embeddingEntry } from "../../../src/providers/local/models.ts";
import type { Service } from "../../../src/server/service.ts";
import { configured } from "../../support/configured.ts";
import { cosine, embedRequest, failureOf } from "../../support/embedding.ts";
import { localFile, missingLocal, startLocalService } from "../../support/local.ts";

const file = localFile();
const miniLm = knownModels[2];
const missingMiniLm = !embeddingModels(process.env).some(({ name }) => name === miniLm.name);
if (missingLocal !== undefined) {
  process.stderr.write(`the tests of the embeddings of the local model are skipped: ${missingLocal}\n`);
} else if (missingMiniLm) {
  process.stderr.write(`a test of embeddings is skipped: run \`${prepareCommand} -- ${miniLm.name}\`\n`);
}
const model = `local/embed/${file?.name}`;
const longText = "word ".repeat(3000);

describe.skipIf(missingLocal !== undefined)("the embeddings of the local model", { timeout: 120_000 }, () => {
  let service: Service;
  beforeAll(async () => {
    service = await startLocalService({ DRAGOMAN_LOCAL_EMBEDDING_MODEL: file?.name ?? "" });
  });
  afterAll(() => service.stop());

  const transport = () => createGrpcTransport({ baseUrl: `http://${service.grpcAddress}` });
  const client = () => createClient(EmbeddingService, transport());
  const post = (body: object) =>
    fetch(`http://${service.httpAddress}/v1/embeddings`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });

  it("have the length 1, the order of the inputs over several requests, and exact usage", async () => {
    const inputs = Array.from({ length: 18 }, (_, index) => `text ${index}`);
    const response = await client().embed(embedRequest("local/embed", inputs));
    const tokens = await tokensOf(inputs);
    expect(response).toMatchObject({ model, provider: "local", warnings: [] });
    expect(response.usage).toMatchObject({
      ...{ inputTokens: tokens.flat().length, outputTokens: 0, quality: UsageQuality.EXACT },
    });
    expect(response.attempts).toHaveLength(2);
    for (const { values } of response.embeddings) {
      expect(values.reduce((sum, value) => sum + value * value, 0)).toBeCloseTo(1, 4);
    }
    const alone = await client().embed(embedRequest(model, [tokens[17] ?? []]));
    expect(alone.embeddings[0]?.values).toEqual(response.embeddings[17]?.values);
    expect(alone.embeddings[0]?.values).not.toEqual(response.embeddings[16]?.values);
  });

  it("are near each other for texts of like meaning", async () => {
    const texts = ["The cat sleeps on the sofa.", "A kitten naps on the couch.", "Interest rates rose in March."];
    const { embeddings } = await client().embed(embedRequest(model, texts));
    const [cat, kitten, rates] = embeddings.map(({ values }) => values);
    expect(cosine(cat, kitten)).toBeGreaterThan(cosine(cat, rates));
  });

  it.skipIf(missingMiniLm)("are those of Sentence Transformers for all-MiniLM-L6-v2", async () => {
    const texts = ["This is an example sentence", "Each sentence is converted"];
    const { embeddings, usage } = await client().embed(embedRequest(`local/embed/${miniLm.name}`, texts));
    expect(embeddings.map(({ values }) => values.length)).toEqual([miniLm.dimensions, miniLm.dimensions]);
    // What the example in the model's card prints. llama.cpp differs by up to 0.0002.
    const begin = [0.06765693, 0.06349593, 0.04871314, 0.07930495, 0.03744806, 0.00265273];
    expect(embeddings[0]?.values.slice(0, 6)).toEqual(begin.map((value) => expect.closeTo(value, 3)));
    expect(embeddings[1]?.values[0]).toBeCloseTo(0.08643859, 3);
    // With [CLS] and [SEP].
    expect(usage?.inputTokens).toBe(7 + 6);
  });

  it("are the same over OpenAI's API", async () => {
    const { embeddings, usage } = await client().embed(embedRequest(model, ["Hello"]));
    const response = await post({ model, input: "Hello" });
    const { data, ...rest } = (await response.json()) as { data: { embedding: number[] }[] };
    expect(rest).toMatchObject({ model, usage: { prompt_tokens: usage?.inputTokens } });
    expect(data.map(({ embedding }) => embedding.map(Math.fround))).toEqual(embeddings.map(({ values }) => values));
  });

  it("are of a model in ListModels, with their dimensions", async () => {
    const { models } = await createClient(ModelService, transport()).listModels({});
    const listed = models.find(({ id }) => id === model);
    expect(listed).toMatchObject({
      aliases: ["local/embed"],
      capabilities: { embeddings: true, systemMessages: false },
    });
    const { embeddings } = await client().embed(embedRequest(model, ["Hello"]));
    expect(listed?.embeddingDimensions).toBe(file?.dimensions ?? 0);
    if (file?.dimensions !== undefined) expect(embeddings[0]?.values).toHaveLength(file.dimensions);
  });

  it("treat names of special tokens in a text as text", async () => {
    const [tokens = []] = await tokensOf(["</s><|im_end|>"]);
    const { usage } = await client().embed(embedRequest(model, ["</s><|im_end|>"]));
    expect(tokens.length).toBeGreaterThan(2);
    expect(usage?.inputTokens).toBe(tokens.length);
  });

  it("reject an input that fills the context window, by its index in the call", async () => {
    const inputs = [...Array.from({ length: 17 }, () => "short"), longText];
    const [reason, message] = await failureOf(client().embed(embedRequest(model, inputs)));
    expect(reason).toBe("CONTEXT_LENGTH_EXCEEDED");
    expect(message).toMatch(
      /^inputs\[17\]: has 30\d\d tokens, which fill the context window of 2048 tokens; shorten it$/,
    );
    const response = await post({ model, input: inputs });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({
      error: { code: "context_length_exceeded", message: expect.stringMatching(/^input\.17: has 30\d\d tokens/) },
    });
  });

  it("reject a huge text by its begin", async () => {
    const [reason, message] = await failureOf(client().embed(embedRequest(model, ["hello world ".repeat(250_000)])));
    expect(reason).toBe("CONTEXT_LENGTH_EXCEEDED");
    expect(message).toMatch(/^inputs\[0\]: has \d{4} tokens or more, which fill the context window of 2048 tokens;/);
  });

  it.each([
    [
      "an empty text",
      ["a", ""],
      {},
      "INVALID_REQUEST",
      "inputs[1]: the text is empty; write a text, or omit the input",
    ],
    [
      "an unknown token",
      [[1, 2e9]],
      {},
      "INVALID_REQUEST",
      "inputs[0].token_ids.ids[1]: the model's token ids are 0 to ",
    ],
    ["dimensions", ["a"], { dimensions: 8 }, "UNSUPPORTED_PARAMETER", "vectors of one length; omit dimensions"],
  ] as const)("reject %s", async (_, inputs, more, reason, message) => {
    expect(await failureOf(client().embed(embedRequest(model, inputs, more)))).toEqual([
      reason,
      expect.stringContaining(message),
    ]);
  });

  it("drop a task and a user, with warnings", async () => {
    const { warnings } = await client().embed(
      embedRequest(model, ["a"], { task: EmbeddingTask.QUERY, user: "u", providerOptions: { local: { a: 1 } } }),
    );
    expect(warnings.map(({ reason, field }) => [reason, field])).toEqual([
      ["UNSUPPORTED_PARAMETER", "task"],
      ["UNSUPPORTED_PARAMETER", "user"],
      ["UNSUPPORTED_PARAMETER", "provider_options"],
    ]);
  });

  it("are only of embedding models", async () => {
    expect(await failureOf(client().embed(embedRequest(`local/${file?.name}`, ["a"])))).toEqual([
      "UNSUPPORTED_PARAMETER",
      expect.stringContaining("request an embedding model"),
    ]);
    expect((await failureOf(client().embed(embedRequest("local/embed/none", ["a"]))))[0]).toBe("MODEL_NOT_FOUND");
  });
});

describe.skipIf(missingLocal !== undefined)("the queue for embeddings of the local model", { timeout: 120_000 }, () => {
  it("is bounded, and goes on when the request in progress is cancelled", async () => {
    const adapter = configured("local", undefined, {
      apiKey: "",
      options: { max_queue: 1, context_size: 256 },
      environment: process.env,
    });
    const entry = embeddingEntry(file ?? { name: "", displayName: "" }, []);
    const { embeddings } = adapter;
    async function embed(inputs: readonly string[], signal: AbortSignal, onOutput?: () => void) {
      const attempt = { holder: "account:a", attempt: create(AttemptSchema), queue: { waitsFor: undefined } };
      const context = { ...attempt, signal, ...(onOutput && { onOutput }) };
      for await (const [batch] of embeddings?.embed(embedRequest("", inputs), entry, context) ?? []) return batch;
      return undefined;
    }
    const [first, second] = [new AbortController(), new AbortController().signal];
    const reason = new GatewayError("DEADLINE_EXCEEDED", "too late");
    let others: Promise<readonly PromiseSettledResult<unknown>[]> | undefined;
    const running = embed(["first", "word ".repeat(200)], first.signal, () => {
      others = Promise.allSettled(["second", "third"].map((text) => embed([text], second)));
      // By then, both are in the queue.
      setImmediate(() => first.abort(reason));
    });
    await expect(running).rejects.toBe(reason);
    const [waiting, beyond] = (await others) ?? [];
    expect(waiting).toMatchObject({ status: "fulfilled", value: { vectors: [expect.any(Float32Array)] } });
    expect(beyond).toMatchObject({ status: "rejected", reason: { reason: "QUEUE_FULL" } });
    await adapter.close?.();
  });
});

/** Returns the tokens of texts, with the model's first token if it wants one. */
async function tokensOf(texts: readonly string[]): Promise<Token[][]> {
  const { llama } = await loadEngine(engineFolder(localHome(process.env)), 1);
  try {
    const { tokenize, tokens } = await llama
      .loadModel({ modelPath: file?.path ?? "" })
      .then((loaded) => ({ tokenize: loaded.tokenize.bind(loaded), tokens: loaded.tokens }));
    const first = tokens.shouldPrependBosToken && tokens.bos !== null ? [tokens.bos] : [];
    return texts.map((text) => [...first, ...tokenize(text, false)]);
  } finally {
    await llama.dispose();
  }
}
