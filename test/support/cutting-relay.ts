import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** Passes bytes on between clients and a server on this machine, and ends connections at chosen moments. */
export interface CuttingRelay extends AsyncDisposable {
  readonly port: number;
  /** Ends all connections. */
  cut(): void;
  /** Ends the connection of the next client that sends this text, before the server gets it. */
  cutBefore(text: string): void;
  /** Ends the connection of the next client that sends this text, when the server has answered, without the answer. */
  cutAfter(text: string): void;
}

export async function startCuttingRelay(port: number): Promise<CuttingRelay> {
  const open = new Set<Socket>();
  let trap: { readonly text: string; readonly answered: boolean } | undefined;
  const server = createServer((client) => {
    const upstream = connect(port, "127.0.0.1");
    let isTrapped = false;
    const end = () => {
      for (const socket of [client, upstream]) open.delete(socket.destroy());
    };
    client.on("data", (bytes) => {
      if (trap !== undefined && bytes.includes(trap.text)) {
        const { answered } = trap;
        trap = undefined;
        if (!answered) return end();
        isTrapped = true;
      }
      upstream.write(bytes);
    });
    upstream.on("data", (bytes) => (isTrapped ? end() : client.write(bytes)));
    for (const socket of [client, upstream]) open.add(socket.on("error", end).on("close", end));
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  return {
    port: (server.address() as AddressInfo).port,
    cut() {
      for (const socket of open) socket.destroy();
    },
    cutBefore(text) {
      trap = { text, answered: false };
    },
    cutAfter(text) {
      trap = { text, answered: true };
    },
    async [Symbol.asyncDispose]() {
      server.close();
      for (const socket of open) socket.destroy();
      if (server.listening) await once(server, "close");
    },
  };
}
