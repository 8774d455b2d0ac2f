import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/**
 * What a relay does with a connection. `pass`: it passes bytes on. `refuse`: it ends new and open connections. `silent`:
 * it passes nothing on, and keeps the bytes. `lose`: it passes requests on, and ends the connection instead of passing on
 * the reply. A number: it delays replies by these milliseconds.
 */
export type Fault = "pass" | "refuse" | "silent" | "lose" | number;

/** Passes bytes on between clients and a server on this machine, with the faults that a test scripts. */
export interface FaultRelay extends AsyncDisposable {
  readonly port: number;
  /** Port of the server. New connections go there. */
  target: number;
  fault: Fault;
}

interface Pair {
  readonly client: Socket;
  readonly upstream: Socket;
  /** Bytes that the relay keeps while it is silent, as functions that pass them on. */
  readonly kept: (() => void)[];
}

export async function startFaultRelay(target: number): Promise<FaultRelay> {
  const pairs = new Set<Pair>();
  let [port, fault, to]: [number, Fault, number] = [0, "pass", target];

  function end({ client, upstream }: Pair): void {
    client.destroy();
    upstream.destroy();
  }

  const server = createServer((client) => {
    const upstream = connect(to, "127.0.0.1");
    const pair: Pair = { client, upstream, kept: [] };
    pairs.add(pair);
    const closed = () => {
      end(pair);
      pairs.delete(pair);
    };
    for (const socket of [client, upstream]) socket.on("error", closed).on("close", closed);
    if (fault === "refuse") return closed();
    client.on("data", (bytes) => {
      if (fault === "silent") pair.kept.push(() => upstream.write(bytes));
      else upstream.write(bytes);
    });
    upstream.on("data", (bytes) => {
      if (fault === "silent") pair.kept.push(() => client.write(bytes));
      else if (fault === "lose") end(pair);
      else if (typeof fault === "number") setTimeout(() => client.write(bytes), fault).unref();
      else client.write(bytes);
    });
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  port = (server.address() as AddressInfo).port;
  return {
    port,
    get target() {
      return to;
    },
    set target(next) {
      to = next;
    },
    get fault() {
      return fault;
    },
    set fault(next) {
      fault = next;
      if (next === "refuse") for (const pair of pairs) end(pair);
      if (next === "silent") return;
      for (const { kept } of pairs) for (const pass of kept.splice(0)) pass();
    },
    async [Symbol.asyncDispose]() {
      for (const pair of pairs) end(pair);
      await once(server.close(), "close");
    },
  };
}
