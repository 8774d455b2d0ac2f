import type { NotApplicable } from "../../contract/dialect.ts";
import type { Failure, Provider } from "./providers.ts";

/** HTTP API that a client calls. */
export type Api = "chat" | "responses" | "messages";

/** One call of a client. */
export interface Ask {
  readonly prompt: string;
  readonly streamed: boolean;
  /** Default: the provider's model. */
  readonly model?: string;
  /** Whether to send a field with a value that the API rejects. */
  readonly isWrong?: boolean;
  readonly signal?: AbortSignal;
  /** Called with each text delta of a stream. */
  readonly onText?: (piece: string) => void;
}

/** What a client reads of a response. */
export interface Said {
  readonly text: string;
  readonly inputTokens: number | undefined;
  readonly outputTokens: number | undefined;
}

/** What a case gives to a client. */
export interface Lab {
  readonly provider: Provider;
  /** Address of the service, such as `http://127.0.0.1:8080`. */
  readonly url: string;
  /** Calls the service, and keeps the responses for the check against the vendor's types. */
  readonly fetch: typeof fetch;
  /** The user's text for the tool conversation. */
  readonly toolPrompt: string;
  /** Runs the tool of the client. */
  runTool(city: string): string;
}

/** What a client throws. */
export interface Thrown {
  /** Name of the error class. */
  readonly class: string;
  readonly status: number | undefined;
  readonly type?: string | undefined;
  readonly code?: string | null | undefined;
  /** Field that the error names. */
  readonly field?: string | null | undefined;
}

/** Calls that fail: as the provider rejects them, or as Dragoman does. */
export type FailedCall = Failure | "wrong field" | "unknown model";

/** A client that nobody here wrote. Where it cannot do something, it has the reason. */
export interface Client {
  /** Name in the table of the documentation. */
  readonly name: string;
  /** npm package, whose version is in package.json. */
  readonly package?: string | undefined;
  readonly api: Api;
  /** Name of the tool that the model must call. */
  readonly tool: string;
  readonly whole: true | NotApplicable;
  ask(lab: Lab, ask: Ask): Promise<Said>;
  /** Lets the client's own loop run the tools, and returns the text of the last response. */
  runTools(lab: Lab, streamed: boolean): Promise<string>;
  /** Outcome of a call that the loop makes before its rounds. */
  readonly loopBegins?: "refused" | undefined;
  /** Which of the model's state the client sends back. */
  readonly sendsBack: { readonly signature: true | NotApplicable; readonly reasoning: true | NotApplicable };
  /** Asks for JSON of the schema of a place. */
  readonly json: ((lab: Lab, prompt: string, streamed: boolean) => Promise<unknown>) | NotApplicable;
  /** Whether the client can send a field with a value that the API rejects. */
  readonly canBeWrong: true | NotApplicable;
  /** Reads an error of the client. Throws others again. */
  thrown(error: unknown): Thrown;
  readonly errors: Readonly<Record<FailedCall, Thrown>>;
  /** What the client throws if the provider breaks off in a stream. */
  readonly brokenOff: Thrown;
  /** What it throws if its user aborts a call. Undefined: a stream just ends. */
  readonly aborted: { readonly whole: string; readonly streamed: string | undefined };
}

export const placeSchema = {
  type: "object" as const,
  properties: { city: { type: "string" as const }, degrees: { type: "number" as const } },
  required: ["city", "degrees"],
  additionalProperties: false as const,
};

export const toolSchema = {
  type: "object" as const,
  properties: { city: { type: "string" as const } },
  required: ["city"],
  additionalProperties: false as const,
};

/** Description of every client's tool. */
export const toolDescription = "Tells the temperature of a city.";
