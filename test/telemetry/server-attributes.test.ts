import { expect, it } from "vitest";
import { serverAttributes } from "../../src/telemetry/otel/call-tracer.ts";

it.each([
  ["https://api.openai.com/v1", "api.openai.com", 443],
  ["http://localhost/v1", "localhost", 80],
  ["http://[::1]:8000/v1", "::1", 8000],
])("a span of a request to %s has the server %s and the port %s", (baseUrl, address, port) => {
  expect(serverAttributes(baseUrl)).toEqual({ "server.address": address, "server.port": port });
});

it("a span of a model in this process has no server", () => {
  expect(serverAttributes(undefined)).toEqual({});
});
