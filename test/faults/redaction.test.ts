import { ConnectError, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { afterEach, describe, expect, it } from "vitest";
import { ChatService } from "../../src/gen/dragoman/v1/chat_service_pb.js";
import { ProviderErrorSchema } from "../../src/gen/dragoman/v1/error_pb.js";
import { ErrorInfoSchema } from "../../src/gen/google/rpc/error_details_pb.js";
import { startProcess } from "../support/process.ts";
import { type Script, startReplayUpstream } from "../support/replay-upstream.ts";
import { ask } from "../support/requests.ts";

const key = "Zq3_tR7-vLm9.Kx2pWd8";
const spelled = [...key];
const base64 = (text: string) => Buffer.from(text).toString("base64");
const percent = (text: string) => [...text].map((c) => `%${c.charCodeAt(0).toString(16).padStart(2, "0")}`).join("");

const open: AsyncDisposable[] = [];
afterEach(async () => {
  for (const resource of open.splice(0).reverse()) await resource[Symbol.asyncDispose]();
});

async function start(...scripts: readonly Script[]) {
  const upstream = await startReplayUpstream(...scripts);
  const service = await startProcess({ VLLM_BASE_URL: upstream.baseUrl, VLLM_API_KEY: key });
  open.push(upstream, service);
  const client = createClient(ChatService, createGrpcTransport({ baseUrl: `http://${service.grpcAddress}` }));
  const fail = async () =>
    ConnectError.from(await client.completeChat({ chat: ask("vllm/m", "hi") }).catch((error: unknown) => error));
  const overHttp = () =>
    fetch(`http://${service.httpAddress}/v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ model: "vllm/m", messages: [{ role: "user", content: "hi" }] }),
    });
  return { fail, overHttp, service };
}

const failure = (error: object, headers = {}): Script => ({
  status: 400,
  headers: { "content-type": "application/json", ...headers },
  steps: [{ write: JSON.stringify({ error }) }],
});

const forms: readonly (readonly [string, string])[] = [
  ["as it is", key],
  ["in capitals", key.toUpperCase()],
  ["with blanks", spelled.join(" ")],
  ["with several blanks and lines", spelled.join(" \n\t ")],
  ["with dashes", spelled.join("-")],
  ["with zero-width spaces", spelled.join("\u200b")],
  ["without its own punctuation", key.replaceAll(/[^a-z\d]/gi, "")],
  ["in quotes", spelled.map((letter) => `'${letter}'`).join(", ")],
  ["in base64", base64(key)],
  ["in base64 after one byte", base64(`:${key}`)],
  ["in base64 after a user name", base64(`me:${key}`)],
  ["in base64 inside a text", base64(`authorization: Bearer ${key}\r\nhost: x`)],
  ["in base64url", Buffer.from(`${key}?>`).toString("base64url")],
  ["in base64 with line breaks", base64(key).replaceAll(/.{8}/g, "$&\r\n")],
  ["in base64 and percent-encoding", percent(base64(key))],
  ["in percent-encoding", percent(key)],
  ["in percent-encoding twice", percent(key).replaceAll("%", "%25")],
  ["with encoded blanks", spelled.join("%20")],
  ["in hexadecimal", Buffer.from(key).toString("hex")],
  ["in Unicode escapes", spelled.map((c) => `\\u00${c.charCodeAt(0).toString(16)}`).join("")],
  ["in HTML entities", spelled.map((c) => `&#${c.charCodeAt(0)};`).join("")],
];

describe("a provider that quotes Dragoman's API key", () => {
  it("never reaches the caller, whatever the form of the key and the place of the text", async () => {
    const scripts = forms.flatMap(([, form]) => {
      const script = failure({ message: `bad key <${form}> here`, code: form, type: form, param: form });
      return [script, script];
    });
    const { fail, overHttp } = await start(...scripts);
    for (const [name, form] of forms) {
      const error = await fail();
      const info = error.findDetails(ErrorInfoSchema)[0];
      const provider = error.findDetails(ProviderErrorSchema)[0];
      const texts = [error.rawMessage, provider?.code, info?.metadata.parameter];
      const body = await (await overHttp()).text();
      for (const text of [...texts, body]) {
        expect(text, name).toContain("[redacted]");
        expect(text, name).not.toContain(form);
        expect(text, name).not.toContain(JSON.stringify(form).slice(1, -1));
      }
      expect(error.rawMessage, name).toMatch(/bad key <.{0,40}\[redacted\].{0,40}> here$/s);
    }
  }, 30_000);

  it("keeps a text without the key as it is", async () => {
    const message = "the value 100%25 of `top_p` (%41, &#65;, \\u0041) is not at most 1: Zq3 tR7 and vLm9";
    const { fail } = await start(failure({ message, code: "bad_value", param: "top_p" }));
    const error = await fail();
    expect(error.rawMessage).toContain(message);
    expect(error.findDetails(ErrorInfoSchema)[0]?.metadata.parameter).toBe("top_p");
  });

  it("does not show the first letters of a key at the end of a long text", async () => {
    for (const length of [65_530, 65_520, 400, 490]) {
      const { fail } = await start(failure({ message: `${" ".repeat(length)}${spelled.join(" ")}` }));
      const error = await fail();
      expect(error.rawMessage.replaceAll(" ", "")).not.toContain("Zq3_t");
    }
  }, 30_000);
});
