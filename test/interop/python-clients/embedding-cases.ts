import { expect, it } from "vitest";
import type { EmbeddingCase } from "../../contract/embeddings/cases.ts";
import type { ReplayUpstream } from "../../support/replay-upstream.ts";
import type { TestService } from "../../support/service.ts";
import { recordOf } from "../story.ts";
import type { EmbeddingClient } from "./clients.ts";
import { embeddingProviders, embeddingPrompts as prompts, vectorOf } from "./facts-upstream.ts";
import type { PythonCase, PythonProgram, PythonResult } from "./program.ts";

/** A row of the embeddings: Dragoman itself, or a replayed provider. */
export interface EmbeddingRow {
  readonly provider: string;
  readonly model: string;
  readonly wire?: EmbeddingCase;
}

export const embeddingRows: readonly EmbeddingRow[] = [
  { provider: "echo", model: "echo/embed" },
  ...embeddingProviders.map((wire) => ({ provider: wire.provider, model: wire.model, wire })),
];

/** Fields of the body by which echo does what the prompts of the other providers say. */
const scripts: Partial<Record<keyof typeof prompts, object>> = {
  limited: { fail: { reason: "PROVIDER_RATE_LIMITED" } },
  cancel: { stall: {} },
};

interface Stage {
  readonly service: TestService;
  readonly upstream: ReplayUpstream;
  readonly program: PythonProgram;
  /** Resolves when the service has begun its next call. */
  nextCall(): Promise<void>;
}

/** Declares the tests of a client with a provider. */
export function declareEmbeddingCases(client: EmbeddingClient, row: EmbeddingRow, stage: () => Stage): void {
  const caseOf = (name: keyof typeof prompts): PythonCase => ({
    ...{ id: `${client.id}-${row.provider}-${name}`.replaceAll(" ", "-"), name, client: client.id },
    ...{ url: `http://${stage().service.httpAddress}`, model: row.model, prompt: prompts[name] },
    body: { ...(row.wire === undefined && scripts[name]) },
  });
  const play = async (name: keyof typeof prompts): Promise<readonly [result: PythonResult, id: string]> => {
    const fields = caseOf(name);
    const result = await stage().program.play(fields);
    expect(result.differences).toEqual([]);
    return [result, fields.id];
  };

  it("returns the vectors in the order of the inputs, with usage", async () => {
    const [{ vectors, tokens }, id] = await play("unary");
    const { outcome, usage } = await recordOf(stage().service, id);
    expect(outcome).toBe("ok");
    expect(tokens).toEqual(client.hasUsage ? [usage?.inputTokens] : undefined);
    if (row.wire) expect(vectors).toEqual([prompts.unary, "second"].map(vectorOf));
    else expect(vectors?.map(({ length }) => length)).toEqual([256, 256]);
  });

  it("raises its own error for invalid dimensions", async () => {
    const [{ error }, id] = await play("invalid");
    expect(error).toMatchObject(client.errors.invalid);
    expect(await recordOf(stage().service, id)).toMatchObject({ outcome: "refused" });
  });

  it("cancels the request to the provider", async () => {
    const { upstream, service, program, nextCall } = stage();
    const fields = caseOf("cancel");
    const asked = row.wire ? upstream.nextRequest() : nextCall().then(() => undefined);
    const result = program.play(fields);
    const request = await Promise.race([asked, result.then(() => undefined)]);
    program.cancel();
    expect(await result).toMatchObject({ cancelled: true, differences: [] });
    await request?.aborted;
    expect(await recordOf(service, fields.id)).toMatchObject({ outcome: "cancelled" });
  });

  // Last: Dragoman avoids a limited provider for a while.
  it("raises its own error for the rate limit of a provider", async () => {
    const [{ error }] = await play("limited");
    expect(error).toMatchObject(client.errors.limited);
  });
}
