import type { ServiceImpl } from "@connectrpc/connect";
import type { ActiveCalls } from "../calls/active-calls.ts";
import type { ChatService } from "../gen/dragoman/v1/chat_service_pb.js";
import type { ModelService } from "../gen/dragoman/v1/model_service_pb.js";
import type { SurfaceHandler } from "../surfaces/kit/router.ts";

/** The services that every listener serves. */
export interface Services {
  readonly calls: ActiveCalls;
  readonly chat: ServiceImpl<typeof ChatService>;
  readonly models: ServiceImpl<typeof ModelService>;
  /** The HTTP APIs of others. */
  readonly surfaces: SurfaceHandler;
}

/** How long the last answers may take to reach their clients once every call has ended. */
export const closingMs = 500;

/** A listener that is open. It is closed in three steps, in this order. */
export interface Listener {
  readonly address: { readonly host: string; readonly port: number };
  /** Health says that the service is stopping; calls still come in. */
  stopReady(): void;
  /** No new calls; those under way go on. */
  rejectNew(): void;
  /** Closes what is left. */
  close(): Promise<void>;
}
