// Asks about a picture. echo/echo writes its type in place of it.

import { readFileSync } from "node:fs";
import { Role } from "../../src/client/index.ts";
import { client, textOf } from "./connect.ts";

const data = readFileSync(new URL("../picture.png", import.meta.url));
const parts = [
  { kind: { case: "text" as const, value: "What is in this picture?" } },
  {
    kind: { case: "media" as const, value: { mediaType: "image/png", source: { case: "data" as const, value: data } } },
  },
];
const { completion } = await client.completeChat({
  chat: { model: "echo/echo", messages: [{ role: Role.USER, parts }] },
});
console.log(textOf(completion?.choices[0]?.message));
