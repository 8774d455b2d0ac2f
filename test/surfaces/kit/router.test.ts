import { describe, expect, it } from "vitest";
import type { Route } from "../../../src/surfaces/kit/route.ts";
import { createRouter } from "../../../src/surfaces/kit/router.ts";

const route = (method: Route["method"], path: string): Route => ({
  name: `${method} ${path}`,
  method,
  path,
  handle() {},
});
const create = route("POST", "/v1/responses");
const retrieve = route("GET", "/v1/responses/{id}");
const remove = route("DELETE", "/v1/responses/{id}");
const model = route("GET", "/v1/models/{model*}");
const find = createRouter([create, retrieve, remove, model]);

describe("the router of the HTTP APIs", () => {
  it.each([
    ["POST", "/v1/responses", create, {}],
    ["GET", "/v1/responses/a", retrieve, { id: "a" }],
    ["HEAD", "/v1/responses/a", retrieve, { id: "a" }],
    ["DELETE", "/v1/responses/a%2Fb", remove, { id: "a/b" }],
    ["GET", "/v1/models/a/b%20c", model, { model: "a/b c" }],
    ["GET", "/v1/models/", model, { model: "" }],
    ["GET", "/v1/models/100%", model, { model: "100%" }],
  ])("finds the route of %s %s", (method, path, expected, parameters) => {
    expect(find(method, path)).toEqual({ route: expected, parameters });
  });

  it.each([
    ["GET", "/v1/responses", create, "POST"],
    ["HEAD", "/v1/responses", create, "POST"],
    ["PUT", "/v1/responses/a", retrieve, "GET, HEAD, DELETE"],
    ["POST", "/v1/models/a", model, "GET, HEAD"],
  ])("returns the allowed methods for %s %s, and the name of a route", (method, path, { name }, allow) => {
    expect(find(method, path)).toEqual({ name, allow });
  });

  it.each([
    "/v1",
    "/v1/responses/",
    "/v1/responses/a/b",
    "/v1/models",
    "//v1/responses",
  ])("finds no route for %s", (path) => {
    expect(find("GET", path)).toBeUndefined();
  });
});
