import { hash } from "node:crypto";
import type { DescMethod, DescService } from "@bufbuild/protobuf";
import { ConnectError } from "@connectrpc/connect";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Config, Role } from "../../src/config/config.ts";
import { AccountService } from "../../src/gen/dragoman/admin/v1/account_service_pb.js";
import { KeyService } from "../../src/gen/dragoman/admin/v1/key_service_pb.js";
import { RoutingService } from "../../src/gen/dragoman/admin/v1/routing_service_pb.js";
import { UsageService } from "../../src/gen/dragoman/admin/v1/usage_service_pb.js";
import { ChatService } from "../../src/gen/dragoman/v1/chat_service_pb.js";
import { EmbeddingService } from "../../src/gen/dragoman/v1/embedding_service_pb.js";
import { ModelService } from "../../src/gen/dragoman/v1/model_service_pb.js";
import { TokenService } from "../../src/gen/dragoman/v1/token_service_pb.js";
import { ErrorInfoSchema } from "../../src/gen/google/rpc/error_details_pb.js";
import { startTestService, type TestService } from "../support/service.ts";

/** The least role for each method. */
const required: readonly (readonly [DescService, Readonly<Record<string, Role>>])[] = [
  [ChatService, { CompleteChat: "caller", StreamChat: "caller", PlanChat: "caller" }],
  [EmbeddingService, { Embed: "caller" }],
  [TokenService, { CountTokens: "caller" }],
  [ModelService, { ListModels: "caller", GetModel: "caller" }],
  [RoutingService, { ListTargets: "viewer" }],
  [UsageService, { QueryUsage: "caller", ListCalls: "caller", GetCall: "caller" }],
  [KeyService, { CreateKey: "admin", ListKeys: "admin", RotateKey: "admin", RevokeKey: "admin" }],
  [AccountService, { CreateAccount: "admin", UpdateAccount: "admin", GetAccount: "viewer", ListAccounts: "viewer" }],
];

const roles: readonly Role[] = ["caller", "viewer", "admin"];

type Mode = Config["authentication"]["mode"];
type Headers = Readonly<Record<string, string>>;

/** Who calls: the headers of the request, and the role that they give. Undefined: the caller is not authenticated. */
interface Case {
  readonly mode: Mode;
  readonly who: string;
  readonly headers: Headers;
  readonly role: Role | undefined;
}

const cases: readonly Case[] = [
  { mode: "keys", who: "without a key", headers: {}, role: undefined },
  { mode: "keys", who: "with a wrong key", headers: { "x-api-key": "wrong" }, role: undefined },
  ...roles.map((role): Case => ({ mode: "keys", who: `a key of a ${role}`, headers: { "x-api-key": role }, role })),
  ...roles.map(
    (role): Case => ({
      ...{ mode: "keys", who: `a key of a ${role} behind a proxy`, role },
      headers: { "x-api-key": role, via: "1.1 proxy" },
    }),
  ),
  { mode: "loopback", who: "anybody", headers: {}, role: "admin" },
  ...["forwarded", "x-forwarded-for", "via", "x-forwarded-host", "x-forwarded-proto", "x-real-ip"].map(
    (name): Case => ({
      mode: "loopback",
      who: `behind a proxy that sends ${name}`,
      headers: { [name]: "x" },
      role: "caller",
    }),
  ),
  { mode: "off", who: "anybody", headers: {}, role: "caller" },
  { mode: "off", who: "with the key of an admin", headers: { "x-api-key": "admin" }, role: "caller" },
];

const methods = required.flatMap(([service]) => service.methods.map((method) => ({ service, method })));

function leastRole({ service, method }: (typeof methods)[number]): Role {
  const role = required.find(([desc]) => desc === service)?.[1][method.name];
  if (role === undefined) throw new Error(`no role for ${method.name}`);
  return role;
}

describe.each(["keys", "loopback", "off"] as const)("in mode %s", (mode) => {
  let service: TestService;
  beforeAll(async () => {
    service = await startTestService({}, (config) => {
      const keys = roles.map((role) => {
        return {
          ...{ id: role, accounts: [], defaultAccount: undefined, role },
          sha256: hash("sha256", role, "buffer"),
        };
      });
      return { ...config, authentication: { ...config.authentication, mode, keys } };
    });
  });
  afterAll(() => service.stop());

  /** Calls a method with an empty request. Returns the reason of the error. */
  async function reasonOf(protocol: "grpc" | "connect", desc: DescService, method: DescMethod, headers: Headers) {
    const client = service.client(desc, protocol) as Record<string, (...args: unknown[]) => unknown>;
    try {
      const result = client[method.localName]?.({}, { headers });
      if (method.methodKind === "server_streaming") for await (const _ of result as AsyncIterable<unknown>);
      else await result;
      return undefined;
    } catch (error) {
      return ConnectError.from(error).findDetails(ErrorInfoSchema)[0]?.reason;
    }
  }

  const ofMode = cases.filter((each) => each.mode === mode);
  it.each(ofMode)("allows exactly what the role allows: $who", async ({ headers, role }) => {
    const isWrongKey = role === undefined && "x-api-key" in headers;
    for (const [index, each] of methods.entries()) {
      // Dragoman delays its answers after twenty wrong keys.
      const protocols = isWrongKey ? ([index % 2 === 0 ? "grpc" : "connect"] as const) : (["grpc", "connect"] as const);
      for (const protocol of protocols) {
        const reason = await reasonOf(protocol, each.service, each.method, headers);
        const name = `${protocol} ${each.method.name}: ${reason}`;
        if (role === undefined) {
          expect(reason, name).toBe(isWrongKey ? "CREDENTIALS_INVALID" : "CREDENTIALS_MISSING");
        } else if (roles.indexOf(role) < roles.indexOf(leastRole(each))) {
          expect(reason, name).toBe("ROLE_NOT_ALLOWED");
        } else if (each.service !== UsageService || role !== "caller" || mode === "keys") {
          // Without a key, no usage is that of the caller: UsageService itself rejects the call.
          const refusals = ["ROLE_NOT_ALLOWED", "CREDENTIALS_MISSING", "CREDENTIALS_INVALID"];
          expect(refusals, name).not.toContain(reason);
        }
      }
    }
  });

  it("knows every method of every service", async () => {
    const listed = required.map(([desc, ofService]) => [desc.typeName, Object.keys(ofService).sort()]);
    expect(listed).toEqual(required.map(([desc]) => [desc.typeName, desc.methods.map(({ name }) => name).sort()]));
  });
});
