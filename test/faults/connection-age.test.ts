import { once } from "node:events";
import { connect } from "node:http2";
import { expect, it } from "vitest";
import { startConfigured } from "../support/configured-process.ts";

it("keeps gRPC connections open with the longest max_age that the configuration accepts", async () => {
  await using service = await startConfigured("grpc_connection: { max_age: 596h }");
  // grpc-js varies the age of each connection by up to 10 %.
  for (let count = 0; count < 24; count++) {
    const session = connect(`http://${service.grpcAddress}`);
    let isToldToGo = false;
    session.on("goaway", () => {
      isToldToGo = true;
    });
    await once(session, "remoteSettings");
    for (let pings = 0; pings < 4 && !isToldToGo; pings++) {
      await new Promise<unknown>((resolve) => session.ping(resolve) || resolve(undefined));
    }
    expect(isToldToGo).toBe(false);
    session.destroy();
  }
});
