import { readFileSync, writeFileSync } from "node:fs";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { describe, expect, it, vi } from "vitest";
import { ChatService } from "../../src/gen/dragoman/v1/chat_service_pb.js";
import { EmbeddingService } from "../../src/gen/dragoman/v1/embedding_service_pb.js";
import { embedRequest } from "../support/embedding.ts";
import { localFile, missingLocal } from "../support/local.ts";
import { ask } from "../support/requests.ts";
import { isAlive, startWorkers, type Workers } from "./harness.ts";

const file = localFile();

// Each test starts several processes, and one of them loads a model.
vi.setConfig({ testTimeout: 240_000 });

const question = ask(`local/${file?.name}`, "What is the capital of France?", { parameters: { maxOutputTokens: 8 } });

/** Returns a connection of its own, which is another worker's than the last. */
const transportTo = ({ service }: Workers) => createGrpcTransport({ baseUrl: `http://${service.grpcAddress}` });

const connect = (workers: Workers) => createClient(ChatService, transportTo(workers));

async function answer(workers: Workers): Promise<string | undefined> {
  const { completion } = await connect(workers).completeChat({ chat: question });
  const kind = completion?.choices[0]?.message?.parts[0]?.kind;
  return kind?.case === "text" ? kind.value : undefined;
}

async function embedding(workers: Workers, text = "Hello"): Promise<readonly number[] | undefined> {
  const client = createClient(EmbeddingService, transportTo(workers));
  const { embeddings } = await client.embed(embedRequest(`local/embed/${file?.name}`, [text]));
  return embeddings[0]?.values;
}

/** Returns the processes with models that have started so far. */
const modelPids = ({ service }: Workers) =>
  service.log.filter(({ msg, worker }) => msg === "worker is ready" && worker === 0).map(({ pid }) => Number(pid));

/** Returns whether a process has the file of the model in its memory. */
const hasModel = (pid: number) => readFileSync(`/proc/${pid}/maps`, "utf8").includes(".gguf");

describe.skipIf(missingLocal !== undefined)("the local model with workers", () => {
  it("is loaded once, answers and embeds for every worker alike, and is loaded again after its process was killed", async () => {
    const workers = await startWorkers(2, "", {}, "{ enabled: true }");
    const answers = await Promise.all(Array.from({ length: 4 }, () => answer(workers)));
    expect(answers[0]).not.toBe("");
    expect(new Set(answers).size).toBe(1);
    const vectors = await Promise.all(Array.from({ length: 4 }, () => embedding(workers)));
    expect(vectors[0]?.length).toBeGreaterThan(0);
    for (const vector of vectors) expect(vector).toEqual(vectors[0]);
    await expect(embedding(workers, "word ".repeat(3000))).rejects.toThrow(/inputs\[0\]: has 30\d\d tokens/);
    await expect
      .poll(() => new Set(workers.service.log.filter(({ msg }) => msg === "call").map(({ worker }) => worker)))
      .toEqual(new Set([1, 2]));
    const [pid = 0] = modelPids(workers);
    expect(hasModel(pid)).toBe(true);
    expect(workers.pids().map(hasModel)).toEqual([false, false]);
    process.kill(pid, "SIGKILL");
    const ended = await workers.service.logLine(({ msg }) => msg === "a worker has ended; it starts again");
    expect(ended).toMatchObject({ worker: 0, pid, signal: "SIGKILL" });
    // The call waits for the process that starts.
    expect(await answer(workers)).toBe(answers[0]);
    expect(modelPids(workers)).toHaveLength(2);
  });

  it("renders prompts for PlanChat", async () => {
    const workers = await startWorkers(2, "", {}, "{ enabled: true }");
    const { renderedPrompt } = await connect(workers).planChat({ chat: question });
    expect(renderedPrompt).toContain("What is the capital of France?");
  });

  it("finishes the response that it is giving when all processes are replaced", async () => {
    const workers = await startWorkers(2, "shutdown: { grace: 3m }\n", {}, "{ enabled: true }");
    const chat = ask(`local/${file?.name}`, "Tell a long story.", { parameters: { maxOutputTokens: 100 } });
    let last: string | undefined;
    for await (const { event } of connect(workers).streamChat({ chat })) {
      if (event.case === "started") workers.service.child.kill("SIGUSR2");
      last = event.case;
    }
    expect(last).toBe("completed");
    await workers.service.logged("all workers have been restarted");
    expect(modelPids(workers)).toHaveLength(2);
    expect(await answer(workers)).not.toBe("");
    const [first = 0] = modelPids(workers);
    await expect.poll(() => isAlive(first)).toBe(false);
  });

  it("follows a reload that turns it off and on again, and its process ends and starts", async () => {
    const workers = await startWorkers(2, "", {}, "{ enabled: true }");
    const { service, file: config } = workers;
    const first = await answer(workers);
    const [pid = 0] = modelPids(workers);
    const text = readFileSync(config, "utf8");
    const reload = async (generation: number, changed: string): Promise<void> => {
      writeFileSync(config, changed);
      service.child.kill("SIGHUP");
      await service.logLine((line) => line.msg === "configuration reloaded" && line.generation === generation);
    };
    await reload(2, text.replace("enabled: true", "enabled: false"));
    for (let count = 0; count < 2; count++) await expect(answer(workers)).rejects.toThrow(/not configured/);
    await expect.poll(() => isAlive(pid), { timeout: 20_000 }).toBe(false);
    await reload(3, text.replace("enabled: true", "enabled: true, options: { context_size: 1024 }"));
    for (let count = 0; count < 2; count++) expect(await answer(workers)).toBe(first);
    expect(modelPids(workers)).toHaveLength(2);
    await reload(4, text);
    for (let count = 0; count < 2; count++) expect(await answer(workers)).toBe(first);
    expect(modelPids(workers)).toHaveLength(2);
    service.child.kill("SIGTERM");
    expect(await service.exited).toEqual([0, null]);
    expect([...workers.pids(), ...modelPids(workers)].filter(isAlive)).toEqual([]);
  });
});
