/** Collector that reads what it gets and keeps nothing, in a process of its own. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { announce } from "../announce.ts";

const server = createServer((request, response) => {
  request.resume().on("end", () => response.end());
});
server.listen(0, "127.0.0.1", () => announce((server.address() as AddressInfo).port));
