import { OpenAIEmbeddings } from "@langchain/openai";
import OpenAI from "openai";
import { describe, expect, it } from "vitest";
import { startApis } from "./apis.ts";

const inputs = Array.from({ length: 150 }, (_, index) => `text number ${index}`);

describe("the embeddings of OpenAI's SDK", () => {
  it("get the same vectors in its default form, base64, and as numbers", async () => {
    const { url, nextRecord } = await startApis();
    const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: "none" });
    const packed = await client.embeddings.create({ model: "echo/embed", input: inputs });
    const floats = await client.embeddings.create({ model: "echo/embed", input: inputs, encoding_format: "float" });
    expect(packed.data.map(({ index }) => index)).toEqual(inputs.map((_, index) => index));
    expect(packed.data.map(({ embedding }) => embedding)).toEqual(
      floats.data.map(({ embedding }) => embedding.map(Math.fround)),
    );
    expect(packed.usage).toEqual({ prompt_tokens: 450, total_tokens: 450 });
    expect(await nextRecord()).toMatchObject({ outcome: "ok", usage: { inputTokens: 450 } });
  });

  it("are rejected with its own errors", async () => {
    const { url } = await startApis();
    const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: "none", maxRetries: 0 });
    const call = client.embeddings.create({ model: "nothing", input: "x" });
    await expect(call).rejects.toBeInstanceOf(OpenAI.NotFoundError);
  });
});

describe("LangChain's OpenAIEmbeddings", () => {
  it("embed documents and a query", async () => {
    const { url } = await startApis();
    const embeddings = new OpenAIEmbeddings({
      model: "echo/embed",
      dimensions: 64,
      apiKey: "none",
      configuration: { baseURL: `${url}/v1` },
    });
    const documents = await embeddings.embedDocuments(inputs);
    const query = await embeddings.embedQuery("text number 7");
    expect(documents).toHaveLength(150);
    expect(documents[7]?.map(Math.fround)).toEqual(query.map(Math.fround));
  });
});
