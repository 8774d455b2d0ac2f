import { once } from "node:events";
import { connect } from "node:net";
import { createClient } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport } from "@connectrpc/connect-node";
import { describe, expect, it } from "vitest";
import { ChatService } from "../../src/gen/dragoman/v1/chat_service_pb.js";
import { type ServiceProcess, startProcess } from "../support/process.ts";
import { scriptEcho } from "../support/requests.ts";

/** Waits until a line with this message is in the log. */
async function logged(service: ServiceProcess, message: RegExp): Promise<void> {
  while (!service.log.some(({ msg }) => message.test(String(msg)))) {
    if (service.child.stdout === null) throw new Error("the process has no standard output");
    await once(service.child.stdout, "data");
  }
}

/** Tries to open a TCP connection. Resolves to `open` or to the error's code. */
async function tryConnect(address: string): Promise<string> {
  const [host, port] = address.split(":");
  const socket = connect(Number(port), host);
  try {
    await once(socket, "connect");
    return "open";
  } catch (error) {
    return error instanceof Error && "code" in error ? String(error.code) : String(error);
  } finally {
    socket.destroy();
  }
}

describe("a service that was sent SIGTERM", () => {
  it.each([
    "gRPC",
    "HTTP",
  ] as const)("takes no new connection while a stream over %s goes on to its end", async (kind) => {
    await using service = await startProcess();
    const address = kind === "gRPC" ? service.grpcAddress : service.httpAddress;
    const baseUrl = `http://${address}`;
    const transport =
      kind === "gRPC" ? createGrpcTransport({ baseUrl }) : createConnectTransport({ baseUrl, httpVersion: "1.1" });
    const chat = scriptEcho({ text: "word ", repeat: 20, first_delay_ms: 0, delay_ms: 50 });
    const events = createClient(ChatService, transport).streamChat({ chat })[Symbol.asyncIterator]();
    await events.next();
    service.child.kill("SIGTERM");
    await logged(service, /shutting down/);
    expect(await tryConnect(service.grpcAddress)).toBe("ECONNREFUSED");
    expect(await tryConnect(service.httpAddress)).toBe("ECONNREFUSED");
    let last: string | undefined;
    for (let next = await events.next(); !next.done; next = await events.next()) last = next.value.event.case;
    expect(last).toBe("completed");
    expect(await service.exited).toEqual([0, null]);
    expect(service.log.filter(({ msg }) => msg === "call")).toMatchObject([{ outcome: "ok" }]);
  });
});
