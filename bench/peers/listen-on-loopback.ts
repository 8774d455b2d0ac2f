/**
 * Preloaded into a rival that offers no such option: a server told only a port listens on 127.0.0.1, not on every
 * interface.
 */
import { Server } from "node:net";

const listen = Server.prototype.listen;
Server.prototype.listen = function (this: Server, ...given: unknown[]) {
  const [port, host, ...rest] = given;
  if (typeof port === "number" && typeof host !== "string")
    given = [port, "127.0.0.1", ...(host === undefined ? rest : [host, ...rest])];
  return Reflect.apply(listen, this, given);
};
