import { expect, it } from "vitest";
import { unknownVariables } from "../../src/config/unknown-variables.ts";
import { providers } from "../../src/providers/registry.ts";

it("names a variable that is misspelled, with the nearest one", () => {
  expect(unknownVariables({ DRAGOMAN_API_KEY: "secret", DRAGOMAN_LOG_LEVELS: "", OTHER: "x" }, providers)).toEqual([
    "the variable DRAGOMAN_API_KEY is only for commands that call a service; the service reads DRAGOMAN_API_KEYS",
    "the variable DRAGOMAN_LOG_LEVELS has no effect; did you mean `DRAGOMAN_LOG_LEVEL`?",
  ]);
  const [note] = unknownVariables({ DRAGOMAN_REDIS_ADDRESS_AND_PORT: "" }, providers);
  expect(note).toContain("write one of DRAGOMAN_CONFIG, ");
});

it("knows Dragoman's variables, those of providers, and those that Kubernetes sets for a service", () => {
  const names = [
    ...["DRAGOMAN_CONFIG", "DRAGOMAN_GRPC_ADDRESS", "DRAGOMAN_HTTP_ADDRESS", "DRAGOMAN_AUTHENTICATION"],
    ...["DRAGOMAN_API_KEYS", "DRAGOMAN_LOG_LEVEL", "DRAGOMAN_LOCAL_HOME", "DRAGOMAN_LOCAL_MODEL"],
    ...["DRAGOMAN_SERVICE_HOST", "DRAGOMAN_SERVICE_PORT", "DRAGOMAN_SERVICE_PORT_GRPC"],
    ...["DRAGOMAN_PORT_50051_TCP", "DRAGOMAN_PORT_50051_TCP_ADDR", "DRAGOMAN_PORT_8080_TCP_PROTO"],
  ];
  const environment = Object.fromEntries(names.map((name) => [name, "x"]));
  expect(unknownVariables({ ...environment, DRAGOMAN_PORT: "tcp://10.0.0.1:50051" }, providers)).toEqual([]);
  expect(unknownVariables({ DRAGOMAN_PORT: "8080" }, providers)).toHaveLength(1);
});
