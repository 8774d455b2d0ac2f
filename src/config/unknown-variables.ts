import type { Environment } from "./environment.ts";
import type { ConfigurableProvider } from "./provider.ts";
import { suggest } from "./suggest.ts";

const known = [
  ...["DRAGOMAN_CONFIG", "DRAGOMAN_GRPC_ADDRESS", "DRAGOMAN_HTTP_ADDRESS", "DRAGOMAN_AUTHENTICATION"],
  ...["DRAGOMAN_API_KEYS", "DRAGOMAN_LOG_LEVEL"],
];

/** Variables of commands that call a service, each with the service's own variable that may have been meant. */
const forCommands: Readonly<Record<string, string>> = {
  DRAGOMAN_ADDRESS: "DRAGOMAN_GRPC_ADDRESS",
  DRAGOMAN_API_KEY: "DRAGOMAN_API_KEYS",
};

/**
 * Variables that Kubernetes sets in every container if a service has the name `dragoman`. DRAGOMAN_PORT and those below
 * it then have a URL, such as `tcp://10.0.0.1:80`, or a part of one.
 */
const fromKubernetes = /^DRAGOMAN_(SERVICE_(HOST|PORT(_\w+)?)|PORT(_\d+_(TCP|UDP)(_(PROTO|PORT|ADDR))?)?)$/;

/** Describes the variables that begin with DRAGOMAN_ and have no effect: each with what may have been meant. */
export function unknownVariables(
  environment: Environment,
  providers: readonly Pick<ConfigurableProvider, "variables">[],
): readonly string[] {
  const ofProviders = providers.flatMap(({ variables: { apiKey, baseUrl, others = [] } }) =>
    [apiKey, baseUrl, ...others].flatMap((name) => name ?? []),
  );
  const names = [...known, ...ofProviders.filter((name) => name.startsWith("DRAGOMAN_"))];
  return Object.keys(environment)
    .filter(
      (name) => name.startsWith("DRAGOMAN_") && !names.includes(name) && !isFromKubernetes(name, environment[name]),
    )
    .sort()
    .map((name) => {
      const own = forCommands[name];
      return own === undefined
        ? `the variable ${name} has no effect; ${suggest(name, names)}`
        : `the variable ${name} is only for commands that call a service; the service reads ${own}`;
    });
}

function isFromKubernetes(name: string, value = ""): boolean {
  return fromKubernetes.test(name) && (name !== "DRAGOMAN_PORT" || /^\w+:\/\//.test(value));
}
