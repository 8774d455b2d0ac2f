// One call, one response.

import { client, textOf, user } from "./connect.ts";

const chat = { model: "echo/echo", messages: [user("What is the capital of France?")] };
const { completion } = await client.completeChat({ chat });
console.log(textOf(completion?.choices[0]?.message));
console.log(`${completion?.usage?.inputTokens} input tokens, ${completion?.usage?.outputTokens} output tokens`);
