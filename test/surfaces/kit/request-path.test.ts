import { expect, it } from "vitest";
import { requestPath } from "../../../src/surfaces/kit/request-path.ts";

it.each([
  ["/v1/models?limit=1", "/v1/models"],
  ["http://localhost:8080/v1/models?limit=1", "/v1/models"],
  ["http://localhost:8080", "/"],
  ["*", "*"],
  ["", ""],
])("reads the path of the target %j", (url, path) => {
  expect(requestPath({ url })).toBe(path);
});
