// Continues a conversation: the second request has all messages of the first one, and its response.

import { client, textOf, user } from "./connect.ts";

const question = user("What is the capital of France?");
const first = await client.completeChat({ chat: { model: "echo/echo", messages: [question] } });
const answer = first.completion?.choices[0]?.message;
console.log(textOf(answer));

const messages = [question, ...(answer ? [answer] : []), user("And of Italy?")];
const { completion } = await client.completeChat({ chat: { model: "echo/echo", messages } });
console.log(textOf(completion?.choices[0]?.message));
console.log(`${completion?.usage?.inputTokens} input tokens`);
