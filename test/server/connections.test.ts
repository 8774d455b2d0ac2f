import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { loadConfig } from "../../src/config/load.ts";
import { Rejections } from "../../src/load/rejections.ts";
import { type Connection, Connections } from "../../src/server/connections.ts";

interface FakeRequest {
  readonly name: string;
  isComplete: boolean;
}

const { limits } = loadConfig({ environment: {}, providers: [] });
const closed: string[] = [];
const refused: string[] = [];
let connections: Connections<FakeRequest>;
let server: Server;
let client: Socket;
let connection: Connection;

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval", "performance"] });
  closed.length = 0;
  refused.length = 0;
  connections = new Connections(limits, new Rejections(() => {}), {
    isComplete: (request) => request.isComplete,
    close: ({ name }) => closed.push(name),
    refuse: ({ name }) => refused.push(name),
  });
  server = createServer(() => {}).listen(0, "127.0.0.1");
  connections.guard(server);
  await once(server, "listening");
  const accepted = once(server, "connection");
  client = connect((server.address() as AddressInfo).port, "127.0.0.1");
  const [socket]: Socket[] = await accepted;
  const found = socket && connections.of(socket);
  if (found === undefined) throw new Error("the connection was not admitted");
  connection = found;
});

afterEach(() => {
  vi.useRealTimers();
  client.destroy();
  server.close();
});

/** A connection of another address. */
function elsewhere(): Connection {
  return { ...connection, address: { open: 1, keyed: 0, keyless: 0, idle: new Set() } };
}

function begin(name: string, isComplete: boolean, duration?: "unbounded response" | "unbounded"): FakeRequest {
  const request = { name, isComplete };
  expect(connections.begin(connection, request, true, duration)).toBeDefined();
  return request;
}

describe("requests that do not end", () => {
  it("are closed if they do not become complete, unless they are unbounded", () => {
    begin("never", false);
    begin("watch", false, "unbounded response");
    begin("reflection", false, "unbounded");
    begin("complete", true);
    vi.advanceTimersByTime(limits.maxRequestMs);
    expect(closed).toEqual([]);
    vi.advanceTimersByTime(10_000);
    expect([...new Set(closed)]).toEqual(["never", "watch"]);
  });

  it("are closed if their response never ends, unless that is unbounded", () => {
    begin("unread", true);
    begin("watch", true, "unbounded response");
    begin("reflection", false, "unbounded");
    vi.advanceTimersByTime(limits.maxCallMs);
    expect(closed).toEqual([]);
    vi.advanceTimersByTime(10_000);
    expect([...new Set(closed)]).toEqual(["unread"]);
  });

  it("are not closed after they have ended", () => {
    const ongoing = connections.begin(connection, { name: "short", isComplete: false }, true);
    if (ongoing !== undefined) connections.end(ongoing);
    vi.advanceTimersByTime(2 * limits.maxCallMs);
    expect(closed).toEqual([]);
  });
});

describe("a listener with as many requests as it may have", () => {
  it("refuses the oldest incomplete request, or the new one if all are complete", () => {
    const others = [elsewhere(), elsewhere(), elsewhere()] as const;
    for (let index = 0; index < limits.maxStreams - 4; index++) {
      const other = others[index % 3] ?? connection;
      expect(connections.begin(other, { name: "complete", isComplete: true }, true)).toBeDefined();
    }
    begin("first", false);
    const second = begin("second", false);
    begin("third", false);
    begin("complete", true);
    second.isComplete = true;
    const next = (): boolean => connections.begin(others[0], { name: "new", isComplete: true }, true) !== undefined;
    expect([next(), next(), next()]).toEqual([true, true, false]);
    expect(refused).toEqual(["first", "third"]);
  });
});

describe("requests that need no API key", () => {
  it("have bounds of their own, half as high", () => {
    const complete = (needsKey: boolean): boolean =>
      connections.begin(connection, { name: "complete", isComplete: true }, needsKey) !== undefined;
    for (let index = 0; index < limits.maxStreamsPerAddress; index++) expect(complete(true)).toBe(true);
    expect(complete(true)).toBe(false);
    for (let index = 0; index < limits.maxStreamsPerAddress / 2; index++) expect(complete(false)).toBe(true);
    expect(complete(false)).toBe(false);
  });

  it("make no room for requests that need one, and get none from them", () => {
    begin("silent call", false);
    const check = { name: "silent check", isComplete: false };
    expect(connections.begin(connection, check, false)).toBeDefined();
    const addresses = Array.from({ length: 3 }, () => elsewhere());
    const fill = (needsKey: boolean, count: number): void => {
      for (let index = 0; index < count; index++) {
        const from = addresses[index % addresses.length] ?? connection;
        expect(connections.begin(from, { name: "complete", isComplete: true }, needsKey)).toBeDefined();
      }
    };
    fill(true, limits.maxStreams);
    expect(refused).toEqual(["silent call"]);
    fill(false, limits.maxStreams / 2);
    expect(refused).toEqual(["silent call", "silent check"]);
  });
});
