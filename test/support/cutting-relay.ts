import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** Passes bytes on between clients and a server on this machine, and ends connections at chosen moments. */
export interface CuttingRelay extends AsyncDisposable {
  readonly port: number;
  /** Ends all connections, also frozen ones. */
  cut(): void;
  /** Ends the connection of the next client that sends this text, before the server gets it. Resolves then. */
  cutBefore(text: string): Promise<void>;
  /** Ends the connection of the next client that sends this text, when the server has answered, without the answer. */
  cutAfter(text: string): Promise<void>;
  /** Freezes the connection of the next client that sends this text, before the server gets it: it stays open. */
  freezeBefore(text: string): Promise<void>;
  /** Freezes the connection of the next client that sends this text, when the server has answered. */
  freezeAfter(text: string): Promise<void>;
  /** Resolves when the server has answered to this text of a client, and passes on the answer. */
  passed(text: string): Promise<void>;
}

interface Trap {
  readonly text: string;
  readonly isAnswered: boolean;
  readonly effect: "cut" | "freeze" | "pass";
  sprung(): void;
}

export async function startCuttingRelay(port: number): Promise<CuttingRelay> {
  const open = new Set<Socket>();
  let trap: Trap | undefined;
  const server = createServer((client) => {
    const upstream = connect(port, "127.0.0.1");
    let own: Trap | undefined;
    let isFrozen = false;
    const end = () => {
      for (const socket of [client, upstream]) open.delete(socket.destroy());
    };
    /** Returns whether the bytes may pass. */
    const spring = ({ effect, sprung }: Trap): boolean => {
      own = undefined;
      isFrozen = effect === "freeze";
      if (effect === "cut") end();
      sprung();
      return effect === "pass";
    };
    client.on("data", (bytes) => {
      if (isFrozen) return;
      if (trap !== undefined && bytes.includes(trap.text)) {
        own = trap;
        trap = undefined;
        if (!own.isAnswered && !spring(own)) return;
      }
      upstream.write(bytes);
    });
    upstream.on("data", (bytes) => {
      if (!isFrozen && (own === undefined || spring(own))) client.write(bytes);
    });
    // The other end of a frozen connection does not hear that one end is gone.
    const ended = () => {
      if (!isFrozen) end();
    };
    for (const socket of [client, upstream]) open.add(socket.on("error", ended).on("close", ended));
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const set = (effect: Trap["effect"], isAnswered: boolean) => (text: string) =>
    new Promise<void>((sprung) => {
      trap = { text, isAnswered, effect, sprung };
    });
  return {
    port: (server.address() as AddressInfo).port,
    cut() {
      for (const socket of open) socket.destroy();
      open.clear();
    },
    cutBefore: set("cut", false),
    cutAfter: set("cut", true),
    freezeBefore: set("freeze", false),
    freezeAfter: set("freeze", true),
    passed: set("pass", true),
    async [Symbol.asyncDispose]() {
      server.close();
      for (const socket of open) socket.destroy();
      if (server.listening) await once(server, "close");
    },
  };
}
