/**
 * Makes a server that is started with only a port listen on 127.0.0.1. Node preloads this file into measured gateways
 * (peers) that have no option for the address.
 */
import { Server } from "node:net";

const listen = Server.prototype.listen;
Server.prototype.listen = function (this: Server, ...given: unknown[]) {
  const [port, host, ...rest] = given;
  if (typeof port === "number" && typeof host !== "string")
    given = [port, "127.0.0.1", ...(host === undefined ? rest : [host, ...rest])];
  return Reflect.apply(listen, this, given);
};
