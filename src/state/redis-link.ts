import { createClient } from "@redis/client";
import type { RedisSettings } from "../config/state.ts";
import { loadLimits, type MessageCommand } from "./limits-script.ts";

/** Time in ms for everything that a connection needs before it can be used. */
const openMs = 2000;

/** Place of the node that has the keys, if the configured one does not. */
export interface RedisNode {
  readonly host: string;
  readonly port: number;
}

/** One connection to Redis. It is never opened again, so that no message is sent twice without the store's knowledge. */
export class RedisLink {
  readonly #client: Client;
  readonly #command: MessageCommand;
  /** Resolves when the connection has ended. */
  readonly ended: Promise<void>;

  private constructor(client: Client, command: MessageCommand, ended: Promise<void>) {
    this.#client = client;
    this.#command = command;
    this.ended = ended;
  }

  /** Opens a connection and loads the code of the limits. Rejects after two seconds, or when the signal aborts. */
  static async open(
    { url }: Pick<RedisSettings, "url">,
    node: RedisNode | undefined,
    signal: AbortSignal,
  ): Promise<RedisLink> {
    const place = new URL(url.reveal());
    if (node !== undefined) {
      place.hostname = node.host.includes(":") ? `[${node.host}]` : node.host;
      place.port = String(node.port);
    }
    const client = connectionTo(place.href);
    const ended = new Promise<void>((resolve) => {
      client.on("error", () => resolve()).on("end", () => resolve());
    });
    const limit = AbortSignal.any([signal, AbortSignal.timeout(openMs)]);
    const aborted = new Promise<never>((_, reject) => {
      const late = () => reject(new Error(signal.aborted ? "closed" : `no connection within ${openMs} ms`));
      limit.addEventListener("abort", late, { once: true });
    });
    try {
      await Promise.race([client.connect(), aborted]);
      const command = await Promise.race([loadLimits((words) => client.sendCommand([...words])), aborted]);
      return new RedisLink(client, command, ended);
    } catch (error) {
      destroy(client);
      throw error;
    }
  }

  /** Runs a message. Rejects with the error of Redis, or when the connection ends. */
  run(key: string, message: string): Promise<unknown> {
    return this.#client.sendCommand([...this.#command(key, message)]);
  }

  destroy(): void {
    destroy(this.#client);
  }
}

type Client = ReturnType<typeof connectionTo>;

function connectionTo(url: string) {
  return createClient({
    url,
    RESP: 2,
    disableOfflineQueue: true,
    disableClientInfo: true,
    maintNotifications: "disabled",
    socket: { connectTimeout: openMs, reconnectStrategy: false },
  });
}

function destroy(client: Client): void {
  if (client.isOpen) client.destroy();
}

/** Returns the node that has the keys, from the error of a cluster's node that does not. */
export function movedTo(error: unknown): RedisNode | undefined {
  const [, host = "", port = ""] = /^MOVED \d+ (.+):(\d+)$/.exec(error instanceof Error ? error.message : "") ?? [];
  return host === "" ? undefined : { host, port: Number(port) };
}
