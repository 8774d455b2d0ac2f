import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import type { Api } from "./client.ts";

type Kind = "answer" | "event" | "error";

/** The vendors' types, with the fields that Dragoman has beside theirs, which docs/http-apis.md describes. */
const header = `
import type Anthropic from "@anthropic-ai/sdk";
import type OpenAI from "openai";

interface Facts { provider_metadata?: object }
interface Reasoned { reasoning_content?: string }
type Usage = OpenAI.CompletionUsage & { estimated_cost?: number };

interface Choice extends Omit<OpenAI.ChatCompletion.Choice, "message">, Facts {
  message: OpenAI.ChatCompletionMessage & Reasoned;
}
export interface Chat extends Omit<OpenAI.ChatCompletion, "choices" | "usage">, Facts {
  choices: Choice[];
  usage?: Usage;
}
interface ChunkChoice extends Omit<OpenAI.ChatCompletionChunk.Choice, "delta">, Facts {
  delta: OpenAI.ChatCompletionChunk.Choice.Delta & Reasoned;
}
export interface Chunk extends Omit<OpenAI.ChatCompletionChunk, "choices" | "usage">, Facts {
  choices: ChunkChoice[];
  usage?: Usage | null;
}

// The SDK itself adds output_text. The examples of OpenAI's documents have store, and null as the usage of a beginning.
export interface Answer extends Omit<OpenAI.Responses.Response, "output_text" | "usage">, Facts {
  usage: OpenAI.Responses.ResponseUsage | null;
  store: boolean;
}
type Whole<Event> = Event extends { response: OpenAI.Responses.Response }
  ? Omit<Event, "response"> & { response: Answer }
  : Event extends { type: "response.function_call_arguments.done" }
    ? Event & { name: string } // required by earlier versions of the SDK
    : Event;
export type Event = Whole<OpenAI.Responses.ResponseStreamEvent>;
export interface Failure { error: OpenAI.ErrorObject }

// The SDK itself decodes base64.
export interface Vectors extends Omit<OpenAI.CreateEmbeddingResponse, "data"> {
  data: (Omit<OpenAI.Embedding, "embedding"> & { embedding: number[] | string })[];
}

export type MessageEvent = Anthropic.RawMessageStreamEvent | (Anthropic.RawMessageDeltaEvent & Facts);
// The SDK reads details, from which it learns that the server has no threads.
export type MessageError = Omit<Anthropic.ErrorResponse, "error"> & {
  error: Anthropic.ErrorObject & { details?: Anthropic.ThreadUnsupportedRequestErrorDetails };
};
`;

/** The vendor's type of each value of an API. */
const publishedTypes: Readonly<Record<Api | "embeddings", Readonly<Record<Kind, string>>>> = {
  chat: { answer: "Chat", event: "Chunk | Failure", error: "Failure" },
  responses: { answer: "Answer", event: "Event", error: "Failure" },
  embeddings: { answer: "Vectors", event: "never", error: "Failure" },
  messages: {
    answer: "Anthropic.Message & Facts",
    event: "MessageEvent | MessageError",
    error: "MessageError",
  },
};

/** Collects what the service returned. Values that differ only in their texts and numbers count as one. */
export class AnswerLog {
  readonly #values = new Map<string, { readonly type: string; readonly json: string }>();
  /** Whole streams of the Responses API. */
  readonly streams: (readonly object[])[] = [];
  #count = 0;

  add(api: Api | "embeddings", kind: Kind, value: object): void {
    this.#count++;
    const type = publishedTypes[api][kind];
    this.#values.set(`${type} ${shapeOf(value)}`, { type, json: JSON.stringify(value) });
  }

  /** Number of values that were added. */
  get count(): number {
    return this.#count;
  }

  /** Returns what the compiler says about the values as values of the vendors' types, with the values. */
  async problems(): Promise<readonly string[]> {
    const values = [...this.#values.values()];
    const lines = values.map(({ type, json }, index) => `export const v${index}: ${type} = ${json};`);
    const said = await compile([...header.trim().split("\n"), ...lines].join("\n"));
    const found = said.map((problem) => {
      const [, line = "", column = ""] = /^values\.ts\((\d+),(\d+)\)/.exec(problem) ?? [];
      const place = [...header.trim().split("\n"), ...lines][Number(line) - 1]?.slice(0, Number(column) + 80);
      return `${problem.replace(/^values.*?: /, "")}: ${place?.slice(-160)}`;
    });
    return found.slice(0, 20);
  }
}

/** Returns a value with its texts and numbers left out, but for the words that say what an object is. */
function shapeOf(value: object): string {
  return JSON.stringify(value, (name, item: unknown) => {
    if (typeof item === "number") return 0;
    if (Array.isArray(item) && item.length > 9) return [item.length, item[0]];
    const isWord = typeof item === "string" && /^(type|object|role|status|code|.*reason|.*tier)$/.test(name);
    return typeof item === "string" && !isWord ? "" : item;
  });
}

const modules = resolve(import.meta.dirname, "../../../node_modules");

/** Returns the problems that the TypeScript compiler finds in a module. */
export async function compile(source: string): Promise<readonly string[]> {
  const folder = mkdtempSync(join(tmpdir(), "dragoman-types-"));
  try {
    symlinkSync(modules, join(folder, "node_modules"));
    writeFileSync(join(folder, "values.ts"), source);
    const options = ["--noEmit", "--strict", "--skipLibCheck", "--pretty", "false"];
    const flags = [...options, "--module", "nodenext", "--types", "node"];
    const run = promisify(execFile)(process.execPath, [join(modules, "typescript/bin/tsc"), ...flags, "values.ts"], {
      cwd: folder,
    });
    const { stdout } = await run.catch((error: { stdout: string }) => error);
    // Lines that begin with a space continue the problem before them.
    return stdout.split(/\n(?=\S)/).filter((line) => line.trim() !== "");
  } finally {
    rmSync(folder, { recursive: true });
  }
}
