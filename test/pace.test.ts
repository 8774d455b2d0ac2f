import { once } from "node:events";
import { connect, createServer } from "node:net";
import { expect, it } from "vitest";
import { Pace } from "../src/pace.ts";

it("does not end the turn of short work", () => {
  expect(new Pace().isLong).toBe(false);
});

it("lets sockets have their turn, also if the work began in the callback of a socket", async () => {
  const server = createServer((socket) => socket.on("error", () => {}).write("1")).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server has no port");
  const [first, second] = [connect(address.port, "127.0.0.1"), connect(address.port, "127.0.0.1")];
  // The data of both sockets waits in the kernel when the first callback begins its work.
  const worked = new Promise<string[]>((resolve) => {
    const order: string[] = [];
    const work = async (): Promise<void> => {
      order.push("data");
      if (order.length > 1) return;
      const pace = new Pace();
      while (!pace.isLong);
      await pace.nextTurn();
      order.push("next turn");
      resolve(order);
    };
    first.on("data", work);
    second.on("data", work);
  });
  expect(await worked).toEqual(["data", "data", "next turn"]);
  first.destroy();
  second.destroy();
  server.close();
});
