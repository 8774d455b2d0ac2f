// Waits at most one second for the whole call. Dragoman then aborts the request to the provider.

import { Code, ConnectError } from "../../src/client/index.ts";
import { client, user } from "./connect.ts";

// A model that never responds.
const chat = { model: "echo/echo", messages: [user("hello")], providerOptions: { echo: { stall: {} } } };
try {
  await client.completeChat({ chat }, { timeoutMs: 1_000 });
} catch (error) {
  const { code } = ConnectError.from(error);
  console.log(code === Code.DeadlineExceeded ? "DEADLINE_EXCEEDED" : `status ${code}`);
}
