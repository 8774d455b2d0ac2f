// Prints a response while it comes. A stream that ends without `completed` is incomplete; its status is then thrown.

import { client, user } from "./connect.ts";

const chat = { model: "echo/echo", messages: [user("What is the capital of France?")] };
for await (const { event } of client.streamChat({ chat })) {
  if (event.case === "delta" && event.value.delta.case === "text") process.stdout.write(event.value.delta.value);
  if (event.case === "completed") console.log(`\n${event.value.usage?.outputTokens} output tokens`);
}
