import { onTestFinished } from "vitest";
import { type RecordedRequest, type Script, startReplayUpstream } from "../../support/replay-upstream.ts";
import { startTestService, type TestService } from "../../support/service.ts";

/** A running service; `url` is the base URL of its HTTP APIs. */
export interface Apis extends Pick<TestService, "records" | "nextRecord"> {
  readonly url: string;
}

/** Runs the service until the test ends. */
export async function startApis(environment: Record<string, string> = {}): Promise<Apis> {
  const service = await startTestService(environment);
  onTestFinished(() => service.stop());
  const { httpAddress, records, nextRecord } = service;
  return { url: `http://${httpAddress}`, records, nextRecord };
}

/** A running service with one provider, whose responses are scripted. */
export interface ScriptedApis extends Apis {
  /** Requests that the provider has received. */
  readonly requests: readonly RecordedRequest[];
  nextRequest(): Promise<RecordedRequest>;
}

export async function startScripted(
  provider: "ANTHROPIC" | "OPENAI" | "CEREBRAS" | "DEEPINFRA" | "GEMINI",
  ...scripts: readonly Script[]
): Promise<ScriptedApis> {
  const upstream = await startReplayUpstream(...scripts);
  onTestFinished(() => upstream[Symbol.asyncDispose]());
  const environment = { [`${provider}_API_KEY`]: "provider-key", [`${provider}_BASE_URL`]: upstream.baseUrl };
  const { requests, nextRequest } = upstream;
  return { ...(await startApis(environment)), requests, nextRequest };
}
