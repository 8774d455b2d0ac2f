import { expect } from "vitest";

/** Signs that a text is for programmers of Dragoman: a stack, a source file, a class, a value of JavaScript. */
const internals = /^ {4}at |\.ts:\d+|node_modules|node:internal|\[object |undefined|NaN\b|Invalid input|ZodError/m;

/** Names that only gRPC has, which a caller of another API has never seen. */
const grpcWords = /\bchat\.|\bparts\[|dragoman\.v1|ROLE_|gRPC|unimplemented|_json_schema|argumentsJson|media\.url/;

/** Asserts what every text of a mistake has: no stack, no secret, no end in a period, and one sentence of usual length. */
export function expectPlain(text: string, secrets: readonly string[] = []): void {
  expect(text).not.toMatch(internals);
  for (const secret of secrets) expect(text).not.toContain(secret);
  for (const line of text.trimEnd().split("\n")) expect(line).not.toMatch(/[.!]$/);
}

/** Asserts that a text of an HTTP API of another vendor has no word of the gRPC contract. */
export function expectOwnWords(text: string): void {
  expect(text).not.toMatch(grpcWords);
}
