import type { JsonObject } from "@bufbuild/protobuf";

/**
 * Bytes as a string with one character (U+0000 to U+00FF) for each byte, so that a shot is JSON that people can read.
 */
export type Bytes = string;

/** Bytes to write at once, `times` times (default 1). */
export interface Write {
  readonly bytes: Bytes;
  readonly times?: number;
}

/** Raw bytes of a connection to a listener. */
export interface ConnectionShot {
  readonly to: "HTTP connection" | "gRPC connection";
  readonly writes: readonly Write[];
  /** Whether to close the connection right after the last byte. Otherwise the shot waits for a response. */
  readonly hurried: boolean;
}

/** A well-framed request whose content is hostile. It must get exactly one response. */
export interface RequestShot {
  readonly to: "HTTP" | "gRPC";
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Bytes;
}

/** A valid call to a provider that sends hostile bytes. The call must get exactly one response. */
export interface ProviderShot {
  readonly to: "provider";
  /** Model id with the provider's name. */
  readonly model: string;
  /** API through which the call comes. */
  readonly through: "StreamChat" | "CompleteChat" | "OpenAI stream" | "OpenAI whole";
  /** Fields of the ChatRequest in addition to one user message. Only for StreamChat and CompleteChat. */
  readonly request: JsonObject;
  /** The whole HTTP response, from its status line. */
  readonly response: readonly Write[];
  readonly end: "close" | "reset" | "keep open";
}

/** One input of the fuzz suite, as plain JSON: a kept case is a list of shots. */
export type Shot = ConnectionShot | RequestShot | ProviderShot;

export const toBytes = (buffer: Uint8Array): Bytes => Buffer.from(buffer).toString("latin1");

export const toBuffer = (bytes: Bytes): Buffer => Buffer.from(bytes, "latin1");

export const writeOf = ({ bytes, times = 1 }: Write): Buffer => toBuffer(bytes.repeat(times));
