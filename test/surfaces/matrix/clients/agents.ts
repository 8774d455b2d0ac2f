import { Agent, ModelBehaviorError, OpenAIProvider, Runner, tool } from "@openai/agents";
import OpenAI from "openai";
import { z } from "zod";
import { type Client, type Lab, toolDescription } from "../client.ts";
import { openAiBrokenOff, openAiErrors, openAiThrown } from "./openai-errors.ts";

const place = z.object({ city: z.string(), degrees: z.number() });

function runnerOf({ url, fetch }: Lab, useResponses: boolean): Runner {
  const openAIClient = new OpenAI({ baseURL: `${url}/v1`, apiKey: "caller-key", maxRetries: 0, fetch });
  return new Runner({ modelProvider: new OpenAIProvider({ openAIClient, useResponses }), tracingDisabled: true });
}

function agents(useResponses: boolean, own: Pick<Client, "name" | "api" | "sendsBack" | "brokenOff">): Client {
  return {
    package: "@openai/agents",
    tool: "weather",
    whole: true,
    async ask(lab, { prompt, streamed, model = lab.provider.model, isWrong, signal, onText }) {
      const agent = new Agent({
        ...{ name: "Greeter", model },
        modelSettings: { store: false, ...(isWrong && { temperature: 3 }) },
      });
      const runner = runnerOf(lab, useResponses);
      const options = { ...(signal && { signal }) };
      if (!streamed) return said(await runner.run(agent, prompt, options));
      const run = await runner.run(agent, prompt, { ...options, stream: true });
      for await (const piece of run.toTextStream()) onText?.(piece);
      await run.completed;
      return run.cancelled ? { text: "", inputTokens: undefined, outputTokens: undefined } : said(run);
    },
    async runTools(lab, stream) {
      const weather = tool({
        name: this.tool,
        description: toolDescription,
        parameters: z.object({ city: z.string() }),
        execute: async ({ city }) => lab.runTool(city),
      });
      const agent = new Agent({
        ...{ name: "Reporter", model: lab.provider.model, tools: [weather] },
        modelSettings: { store: false },
      });
      const runner = runnerOf(lab, useResponses);
      if (!stream) return (await runner.run(agent, lab.toolPrompt)).finalOutput ?? "";
      const run = await runner.run(agent, lab.toolPrompt, { stream });
      await run.completed;
      return run.finalOutput ?? "";
    },
    async json(lab, prompt, stream) {
      const agent = new Agent({ name: "Placer", model: lab.provider.model, outputType: place });
      const runner = runnerOf(lab, useResponses);
      if (!stream) return (await runner.run(agent, prompt)).finalOutput;
      const run = await runner.run(agent, prompt, { stream });
      await run.completed;
      return run.finalOutput;
    },
    canBeWrong: true,
    thrown: (error) =>
      error instanceof ModelBehaviorError ? { class: error.constructor.name, status: undefined } : openAiThrown(error),
    errors: openAiErrors,
    aborted: { whole: "APIUserAbortError", streamed: undefined },
    ...own,
  };
}

function said({ finalOutput, rawResponses }: { finalOutput?: string | undefined; rawResponses: readonly Raw[] }) {
  const { inputTokens, outputTokens } = rawResponses.at(-1)?.usage ?? {};
  return { text: finalOutput ?? "", inputTokens, outputTokens };
}

interface Raw {
  readonly usage: { readonly inputTokens: number; readonly outputTokens: number };
}

export const agentsResponses: Client = agents(true, {
  name: "`@openai/agents`",
  api: "responses",
  sendsBack: { signature: true, reasoning: true },
  brokenOff: { class: "ModelBehaviorError", status: undefined },
});

export const agentsChat: Client = agents(false, {
  name: "`@openai/agents`, chat completions",
  api: "chat",
  sendsBack: {
    signature: { why: "the API has no field for the state of a provider" },
    reasoning: { why: "its chat model sends back only the fields that OpenAI has" },
  },
  brokenOff: openAiBrokenOff,
});
