/** Preloaded into peers without a bind address option: a server with only a port listens on 127.0.0.1. */
import { Server } from "node:net";

const listen = Server.prototype.listen;
Server.prototype.listen = function (this: Server, ...given: unknown[]) {
  const [port, host, ...rest] = given;
  if (typeof port === "number" && typeof host !== "string")
    given = [port, "127.0.0.1", ...(host === undefined ? rest : [host, ...rest])];
  return Reflect.apply(listen, this, given);
};
