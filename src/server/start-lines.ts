import type { Config } from "../config/config.ts";
import { indexTargets } from "../config/route-targets.ts";
import type { Model } from "../gen/dragoman/v1/model_pb.js";
import type { Service } from "./service.ts";

/** Lines printed at startup: the addresses, which providers are configured and why, the routes, and three example calls. */
export function startLines(service: Service, config: Config): readonly string[] {
  const model = exampleModel(service.models);
  const question = "What is the capital of France?";
  const chat = JSON.stringify({
    chat: { model, messages: [{ role: "ROLE_USER", parts: [{ text: question }] }] },
  });
  const hasKeys = config.authentication.mode === "keys";
  const withKey = hasKeys ? " -H 'x-api-key: YOUR-KEY'" : "";
  const plaintext = config.grpc.tls ? "" : " -plaintext";
  const scheme = config.http.tls ? "https" : "http";
  const width = Math.max(...config.providerStatuses.map(({ name }) => name.length));
  return [
    `gRPC  ${service.grpcAddress}`,
    `HTTP  ${scheme}://${service.httpAddress}`,
    ...(config.telemetry.metricsAddress === undefined ? [] : [`metrics  http://${service.metricsAddress}/metrics`]),
    "",
    "providers",
    ...config.providerStatuses.map(
      ({ name, on, reason }) => `  ${on ? "on " : "off"}  ${name.padEnd(width)}  ${reason}`,
    ),
    "",
    ...routeLines(config),
    "try",
    `  ${hasKeys ? "DRAGOMAN_API_KEY=YOUR-KEY " : ""}npx dragoman chat "${question}" --model ${model} --address ${service.grpcAddress}${config.grpc.tls ? " --tls" : ""}`,
    `  grpcurl${plaintext}${withKey} -d '${chat}' ${service.grpcAddress} dragoman.v1.ChatService/StreamChat`,
    `  curl -s${withKey} -H 'content-type: application/json' -d '${chat}' ${scheme}://${service.httpAddress}/dragoman.v1.ChatService/CompleteChat`,
    "",
  ];
}

/** A line for each route, with its targets. A target whose provider is not configured gets no calls. */
function routeLines({ routes, listedModels: listed, models, providerStatuses }: Config): readonly string[] {
  if (routes.length === 0) return [];
  const isOn = new Map(providerStatuses.map(({ name, on }) => [name, on]));
  const index = indexTargets({ listed, models, providers: [...isOn.keys()] }, []);
  const width = Math.max(...routes.map(({ id }) => id.length));
  const describe = (name: string) => (isOn.get(index.find(name)?.provider ?? "") ? name : `${name} (off)`);
  return [
    "routes",
    ...routes.map(({ id, tiers }) => {
      const targets = tiers.flatMap((tier) => tier.targets.map(({ model }) => describe(model)));
      return `  ${id.padEnd(width)}  ${targets.join(", ")}`;
    }),
    "",
  ];
}

/** Model for the example calls: preferably one that needs no API key, and the local model before echo. */
function exampleModel(models: readonly Model[]): string {
  const named = (name: string) => models.some(({ id, aliases }) => id === name || aliases.includes(name));
  return ["local/default", "echo/echo"].find(named) ?? models[0]?.id ?? "provider/model";
}
