import { describe, expect, it, onTestFinished } from "vitest";
import { answers, begins, type Play, rejects, startChatUpstream } from "../support/chat-upstream.ts";
import { startTestService, type TestService } from "../support/service.ts";
import { installed, isMissing, run } from "./tools.ts";

// The settings of clients in docs/deploy.md. test/server/client-settings.test.ts has those of grpc-js.

const python = installed("python/bin/python");
const go = installed("bin/settings");
const clients = [
  {
    name: "Python",
    missing: isMissing("the Python client", python),
    command: [python, "test/interop/python/settings.py"],
  },
  { name: "Go", missing: isMissing("the Go client", go), command: [go] },
] as const;

interface Result {
  /** Status codes. */
  readonly unary: readonly number[];
  readonly stream: { readonly code: number; readonly messages: number };
}

const reasonsOf = ({ records }: TestService) => records.map(({ reason }) => reason);

for (const { name, missing, command } of clients) {
  describe.skipIf(missing)(`the ${name} client with the documented service config`, () => {
    /** Runs the client: unary calls and then a stream. */
    async function call(services: readonly TestService[], calls: number): Promise<Result> {
      const addresses = services.map(({ grpcAddress }) => grpcAddress).join(",");
      const [program, ...parameters] = [...command, addresses, String(calls)];
      const { code, stdout, stderr } = await run(program ?? "", parameters, { PYTHONPATH: installed("python-gen") });
      if (code !== 0) throw new Error(`${program} ended with ${code}: ${stderr}`);
      return JSON.parse(stdout);
    }

    async function start(...plays: readonly Play[]) {
      const upstream = await startChatUpstream(...plays);
      onTestFinished(() => upstream[Symbol.asyncDispose]());
      return async (): Promise<TestService> => {
        const environment = { OPENAI_API_KEY: "sk-test", OPENAI_BASE_URL: `${upstream.baseUrl}/v1` };
        const service = await startTestService(environment);
        onTestFinished(() => service.stop());
        return service;
      };
    }

    it("spreads its calls over the replicas", async () => {
      const replica = await start(answers("hello"));
      const replicas = [await replica(), await replica()] as const;
      const { unary, stream } = await call(replicas, 20);
      expect(new Set(unary)).toEqual(new Set([0]));
      expect(stream.code).toBe(0);
      for (const { records } of replicas) expect(records.length).toBeGreaterThan(4);
    });

    it("repeats calls and streams that a provider failed before their output", async () => {
      const service = await (await start(rejects(503), rejects(429), answers("a"), rejects(503), answers("b")))();
      const { unary, stream } = await call([service], 1);
      expect([...unary, stream.code]).toEqual([0, 0]);
      expect(reasonsOf(service)).toEqual([
        ...["PROVIDER_UNAVAILABLE", "PROVIDER_RATE_LIMITED", undefined],
        ...["PROVIDER_UNAVAILABLE", undefined],
      ]);
    });

    it("repeats no stream that has begun", async () => {
      const service = await (await start(begins("half ", { cut: true })))();
      const { stream } = await call([service], 0);
      expect(stream.code).toBe(14);
      expect(stream.messages).toBeGreaterThan(1);
      expect(reasonsOf(service)).toEqual(["PROVIDER_STREAM_INTERRUPTED"]);
    });
  });
}
