/** A streaming request. */
export interface StreamAsk {
  readonly model: string;
  readonly keepProviderDeltas: boolean;
  /** Called with each encoded message that contains a delta. */
  readonly onDelta?: (message: Uint8Array) => void;
}

export interface StreamAnswer {
  /** Number of messages that contain a delta. */
  readonly messages: number;
  /** Time from the start of the call to its first delta. */
  readonly firstDeltaMs: number;
}

/** A client of one target. Its methods reject if a call fails. */
export interface Caller {
  complete(model: string): Promise<void>;
  stream(ask: StreamAsk): Promise<StreamAnswer>;
  /** Opens a stream that stays open. Returns a function that cancels it, once the first delta is here. */
  open(model: string): Promise<() => void>;
  close(): Promise<void>;
}

/** The conversation that every call sends: a system prompt of 256 bytes and a short question. */
export const conversation = {
  system: "You are the bench's assistant. Answer briefly. ".padEnd(256, "Be exact. "),
  user: "How many words would change this?",
} as const;
