/** What to ask for, and how the answer should come. */
export interface StreamAsk {
  readonly model: string;
  readonly keepProviderDeltas: boolean;
  /** Called with each message that carries a delta, undecoded. */
  readonly onDelta?: (message: Uint8Array) => void;
}

export interface StreamAnswer {
  /** Messages that carried a delta. */
  readonly messages: number;
  /** From the call to its first delta. */
  readonly firstDeltaMs: number;
}

/** One way to ask for an answer. A call that fails rejects. */
export interface Caller {
  complete(model: string): Promise<void>;
  stream(ask: StreamAsk): Promise<StreamAnswer>;
  close(): Promise<void>;
}

/** The conversation of every call: 256 bytes of system text and a short question. */
export const conversation = {
  system: "You are the bench's assistant. Answer briefly. ".padEnd(256, "Be exact. "),
  user: "How many words would change this?",
} as const;
