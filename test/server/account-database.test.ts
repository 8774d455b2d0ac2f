import { ConnectError, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { describe, expect, it } from "vitest";
import { createKey } from "../../src/accounts/manage-keys.ts";
import { createAccountStore } from "../../src/accounts/sql/database-store.ts";
import { KeyService } from "../../src/gen/dragoman/admin/v1/key_service_pb.js";
import { ChatService } from "../../src/gen/dragoman/v1/chat_service_pb.js";
import { ErrorInfoSchema } from "../../src/gen/google/rpc/error_details_pb.js";
import { startConfigured } from "../support/configured-process.ts";
import { connectDatabase, testFolder } from "../support/databases.ts";
import { noPostgres, startPostgres } from "../support/postgres.ts";
import { ask } from "../support/requests.ts";

const settings = { displayName: "", accounts: [], defaultAccount: undefined, role: "admin" as const };

describe.skipIf(noPostgres)("a process whose PostgreSQL goes away", () => {
  it("accepts the keys that it knows, tells an unknown key to ask again, and accepts it when PostgreSQL is back", async () => {
    await using postgres = await startPostgres();
    const url = await postgres.createDatabase();
    const store = createAccountStore(connectDatabase({ kind: "postgres", url }));
    const known = await createKey(store, settings);
    const later = await createKey(store, settings);
    await using service = await startConfigured(
      `authentication: { mode: keys }\nstore: { database: "${url}", outbox: "${testFolder()}" }`,
    );
    const transport = createGrpcTransport({ baseUrl: `http://${service.grpcAddress}` });
    const reasonOf = async (result: Promise<unknown>) => {
      try {
        await result;
        return "ok";
      } catch (error) {
        return ConnectError.from(error).findDetails(ErrorInfoSchema)[0]?.reason;
      }
    };
    const headersOf = (key: string) => ({ headers: { "x-api-key": key } });
    const callWith = (key: string) =>
      reasonOf(createClient(ChatService, transport).completeChat({ chat: ask("echo/echo", "hi") }, headersOf(key)));
    const unknown = known.text.replace(/.$/, (digit) => (digit === "0" ? "1" : "0"));

    expect(await callWith(known.text)).toBe("ok");
    expect(await callWith(later.text)).toBe("ok");
    expect(await callWith(unknown)).toBe("CREDENTIALS_INVALID");
    await postgres.kill();
    await service.logged("the database of keys and accounts does not respond");
    expect(await callWith(known.text)).toBe("ok");
    expect(await callWith(unknown)).toBe("STORE_UNAVAILABLE");
    expect(await reasonOf(createClient(KeyService, transport).createKey({ key: {} }, headersOf(known.text)))).toBe(
      "STORE_UNAVAILABLE",
    );
    await postgres.start();
    await service.logged("the database of keys and accounts responds again");
    expect(await callWith(unknown)).toBe("CREDENTIALS_INVALID");
    const made = await createKey(store, settings);
    expect(await callWith(made.text)).toBe("ok");
  }, 60_000);
});
