import { parentPort, workerData } from "node:worker_threads";
import { rotateKey } from "../../src/accounts/manage-keys.ts";
import { createAccountStore } from "../../src/accounts/sql/database-store.ts";
import { createDatabase } from "../../src/database/database.ts";

// A replica with a thread and a connection of its own: rotates a key several times, creates an account, and posts the
// texts and whether it created the account.
const { address, id, times, account } = workerData;
const database = createDatabase(address);
const store = createAccountStore(database);
const texts: string[] = [];
for (let turn = 0; turn < times; turn++) texts.push((await rotateKey(store, id)).text);
const isNew = await store.createAccount(account);
await database.close();
parentPort?.postMessage({ texts, isNew });
