// Reads the details of an error: a reason for programs, and each wrong field with what is wrong.

import { BadRequestSchema, Code, ConnectError, ErrorInfoSchema } from "../../src/client/index.ts";
import { client, user } from "./connect.ts";

try {
  await client.completeChat({
    chat: { model: "echo/echo", messages: [user("hello")], parameters: { temperature: 3 } },
  });
} catch (error) {
  const failed = ConnectError.from(error);
  for (const { reason } of failed.findDetails(ErrorInfoSchema)) {
    console.log(`${failed.code === Code.InvalidArgument ? "INVALID_ARGUMENT" : `status ${failed.code}`} ${reason}`);
  }
  for (const { fieldViolations } of failed.findDetails(BadRequestSchema)) {
    for (const { field, description } of fieldViolations) console.log(`${field}: ${description}`);
  }
}
