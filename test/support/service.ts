import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DescService } from "@bufbuild/protobuf";
import { type Client, createClient, type Transport } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport, createGrpcWebTransport } from "@connectrpc/connect-node";
import { createAdapters } from "../../src/adapters.ts";
import type { Config } from "../../src/config/config.ts";
import { loadConfig } from "../../src/config/load.ts";
import { type AttemptRules, plainRules } from "../../src/config/route.ts";
import type { GatewayError } from "../../src/errors.ts";
import { ChatService } from "../../src/gen/dragoman/v1/chat_service_pb.js";
import { ModelService } from "../../src/gen/dragoman/v1/model_service_pb.js";
import type { CallRecord } from "../../src/ledger/record.ts";
import { Rejections } from "../../src/load/rejections.ts";
import { dialects, listedModels, providers } from "../../src/providers/registry.ts";
import { type ReloadableService, type Service, type ServiceParts, startService } from "../../src/server/service.ts";
import type { MountedService } from "../../src/server/services/mounted-service.ts";

/** Protocols of Dragoman's own API: native gRPC, and those of the HTTP listener. */
export const protocols = ["grpc", "connect", "connect-json", "grpc-web"] as const;
export type Protocol = (typeof protocols)[number];

/** Real service on free loopback ports that collects its call records. */
export interface TestService extends ReloadableService {
  /** Records so far. */
  readonly records: readonly CallRecord[];
  /** Errors with status INTERNAL so far. */
  readonly faults: readonly GatewayError[];
  /** Makes `nextRecord` skip the records so far. */
  forgetRecords(): void;
  /** Resolves with the next record that it has not yet returned. */
  nextRecord(): Promise<CallRecord>;
  chatClient(protocol: Protocol): Client<typeof ChatService>;
  modelClient(protocol: Protocol): Client<typeof ModelService>;
  client<Desc extends DescService>(service: Desc, protocol: Protocol): Client<Desc>;
}

/** Modifies the configuration that was loaded from the environment and the file. */
export type ConfigChange = (config: Config) => Config;

/** Requires the API key `right`, which has the id `team-a` and may use any account. */
export function requireKey(config: Config): Config {
  const sha256 = createHash("sha256").update("right").digest();
  const keys = [{ id: "team-a", sha256, accounts: [], defaultAccount: undefined, role: "caller" as const }];
  return { ...config, authentication: { ...config.authentication, mode: "keys", keys } };
}

/** Rules with which a script of failures plays as it is written. */
const oneAttempt: AttemptRules = { ...plainRules, maxAttempts: 1, maxPerTarget: 1 };

/** Returns a file in which a model has a price, so that its calls have no warning about an unknown one. */
export function pricesOf(model: string): string {
  return JSON.stringify({ prices: { [model]: { input: "1.00", output: "1.00" } } });
}

/** Starts a service in which calls that name a model make one attempt, unless `plainRules` says otherwise. */
export async function startTestService(
  environment: Record<string, string> = {},
  change: ConfigChange = (config) => config,
  yaml?: string,
  furtherServices: readonly MountedService[] = [],
  parts: Partial<
    Pick<ServiceParts, "routing" | "ledger" | "mirror" | "plainRules" | "observers" | "limitStore" | "components">
  > = {},
): Promise<TestService> {
  const { routing, ledger, mirror, limitStore, components, plainRules: rules = oneAttempt, observers = [] } = parts;
  const config = change(
    withFile(yaml, (file) =>
      loadConfig({
        environment: { DRAGOMAN_GRPC_ADDRESS: "127.0.0.1:0", DRAGOMAN_HTTP_ADDRESS: "127.0.0.1:0", ...environment },
        providers: providers.filter(({ name }) => name !== "local"),
        dialects,
        models: listedModels({}),
        file,
      }),
    ),
  );
  const records: CallRecord[] = [];
  const faults: GatewayError[] = [];
  const waiting: ((record: CallRecord) => void)[] = [];
  let taken = 0;
  const service = await startService({
    config,
    furtherServices,
    ...(routing && { routing }),
    ...(mirror && { mirror }),
    ...(ledger && { ledger }),
    ...(limitStore && { limitStore }),
    ...(components && { components }),
    plainRules: rules,
    adapters: await createAdapters(config),
    models: config.listedModels.filter(({ provider }) => provider !== "local"),
    rejections: new Rejections(() => {}),
    observers: [
      ...observers,
      {
        settled(record, error) {
          if (error?.status === "INTERNAL") faults.push(error);
          records.push(record);
          if (waiting.length > 0) {
            taken++;
            waiting.shift()?.(record);
          }
        },
      },
    ],
  });
  const transports = new Map<Protocol, Transport>();
  const transport = (protocol: Protocol): Transport => {
    const known = transports.get(protocol) ?? createTransport(protocol, service);
    transports.set(protocol, known);
    return known;
  };
  return {
    ...service,
    records,
    faults,
    forgetRecords() {
      taken = records.length;
    },
    nextRecord() {
      const record = records[taken];
      if (record !== undefined) {
        taken++;
        return Promise.resolve(record);
      }
      return new Promise((resolve) => waiting.push(resolve));
    },
    chatClient: (protocol) => createClient(ChatService, transport(protocol)),
    modelClient: (protocol) => createClient(ModelService, transport(protocol)),
    client: (desc, protocol) => createClient(desc, transport(protocol)),
  };
}

/** Writes a temporary configuration file, calls `read` with its path and deletes it. */
export function withFile<Result>(yaml: string | undefined, read: (file: string | undefined) => Result): Result {
  if (yaml === undefined) return read(undefined);
  const folder = mkdtempSync(join(tmpdir(), "dragoman-test-"));
  try {
    const file = join(folder, "dragoman.yaml");
    writeFileSync(file, yaml);
    return read(file);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function createTransport(protocol: Protocol, service: Service): Transport {
  const baseUrl = `http://${protocol === "grpc" ? service.grpcAddress : service.httpAddress}`;
  switch (protocol) {
    case "grpc":
      return createGrpcTransport({ baseUrl });
    case "connect":
      return createConnectTransport({ baseUrl, httpVersion: "1.1", useBinaryFormat: true });
    case "connect-json":
      return createConnectTransport({ baseUrl, httpVersion: "1.1", useBinaryFormat: false });
    case "grpc-web":
      return createGrpcWebTransport({ baseUrl, httpVersion: "1.1" });
    default:
      return protocol satisfies never;
  }
}
