import { type Client, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { onTestFinished } from "vitest";
import { composeService } from "../../src/compose.ts";
import type { Config } from "../../src/config/config.ts";
import { loadConfig } from "../../src/config/load.ts";
import { ChatService } from "../../src/gen/dragoman/v1/chat_service_pb.js";
import { dialects, listedModels, providers } from "../../src/providers/registry.ts";
import type { Service } from "../../src/server/service.ts";
import { withOwnStore } from "../support/own-store.ts";
import { withFile } from "../support/service.ts";
import { createTextLog } from "../support/text-log.ts";

/** The whole service, as `dragoman` composes it. */
export interface ObservedService {
  readonly service: Service;
  readonly config: Config;
  readonly chat: Client<typeof ChatService>;
  /** Lines of the log so far. */
  log(): readonly Record<string, unknown>[];
  /** Returns the page `/metrics` of the service. */
  scrape(): Promise<string>;
}

export async function startObserved(
  yaml: string | undefined,
  environment: Readonly<Record<string, string>> = {},
): Promise<ObservedService> {
  const addresses = { DRAGOMAN_GRPC_ADDRESS: "127.0.0.1:0", DRAGOMAN_HTTP_ADDRESS: "127.0.0.1:0" };
  const known = providers.filter(({ name }) => name !== "local");
  const config = withFile(yaml, (file) =>
    withOwnStore(
      loadConfig({
        environment: { ...addresses, ...environment },
        ...{ file, providers: known, dialects, models: listedModels({}) },
      }),
    ),
  );
  const log = createTextLog();
  const service = await composeService(config, log.log);
  onTestFinished(() => service.stop());
  return {
    service,
    config,
    chat: createClient(ChatService, createGrpcTransport({ baseUrl: `http://${service.grpcAddress}` })),
    log: () => log.text.split("\n").flatMap((line) => (line === "" ? [] : JSON.parse(line))),
    async scrape() {
      const response = await fetch(`http://${service.metricsAddress}/metrics`);
      return response.text();
    },
  };
}

/** A line of a page with metrics. */
export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Reads a page in Prometheus' text form. Throws for a line that it cannot read. */
export function parsePage(page: string): readonly Sample[] {
  return page.split("\n").flatMap((line) => {
    if (line === "" || line.startsWith("#")) return [];
    const [, name = "", labels = "", value] = /^([a-z_]+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
    if (value === undefined) throw new Error(`not a sample: ${line}`);
    const pairs = [...labels.matchAll(/([a-z_]+)="((?:[^"\\]|\\.)*)"/g)].map(([, label = "", text]) => [label, text]);
    return [{ name, labels: Object.fromEntries(pairs), value: value === "+Inf" ? Infinity : Number(value) }];
  });
}

/** Returns the sum of the samples with this name and these labels. */
export function sumOf(samples: readonly Sample[], name: string, labels: Readonly<Record<string, string>> = {}): number {
  return samples
    .filter((sample) => sample.name === name)
    .filter((sample) => Object.entries(labels).every(([label, value]) => sample.labels[label] === value))
    .reduce((sum, { value }) => sum + value, 0);
}
