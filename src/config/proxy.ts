import { BlockList, isIP } from "node:net";
import type { ReportProblem } from "./config-error.ts";
import { HiddenText, removed } from "./described.ts";
import type { Environment } from "./environment.ts";
import { matching } from "./json-forms.ts";
import type { HttpProxy, ProxyChoice } from "./provider.ts";
import { leaf } from "./rules.ts";
import { Secret } from "./secret.ts";

/** Value of `providers.<name>.proxy` for direct connections. */
const none = "none";

/** Returns undefined for an invalid URL. As in other programs, a URL without a scheme is one of `http://`. */
function parseProxy(value: unknown): HttpProxy | undefined {
  const text = typeof value === "string" ? value.trim() : "";
  const url = URL.parse(/^[a-z][a-z\d+.-]*:\/\//i.test(text) ? text : `http://${text}`);
  if (url === null || !/^https?:$/.test(url.protocol)) return undefined;
  if (url.pathname !== "/" || url.search !== "" || url.hash !== "") return undefined;
  return isDecodable(url.username) && isDecodable(url.password)
    ? { url: new Secret(url.href), place: url.origin }
    : undefined;
}

/** Whether a part of a URL is UTF-8 with percent signs, such as `p%40ss`, and not `100%` or `%ff`. */
function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}

const fix = "write http://host:port or https://host:port, with user:password@ if the proxy needs them";

/** Schema of `providers.<name>.proxy`. */
export const proxy = leaf({
  parse: (value) => (value === none ? none : parseProxy(value)),
  problem: "is neither the URL of an HTTP proxy nor none",
  fix: `${fix}, or none`,
  forms: [matching("^[^?#]+$", "http://proxy.example:3128", none)],
});

interface Sources {
  readonly environment: Environment;
  readonly configured: HttpProxy | typeof none | undefined;
  /** Whether the provider is configured. Otherwise Dragoman reports no mistakes. */
  readonly on: boolean;
}

/**
 * Resolves the proxy of a provider: its own setting, else HTTPS_PROXY, HTTP_PROXY and NO_PROXY. As in curl, each
 * variable also has a name in lower case, which takes precedence. As in Go, no variable applies to loopback addresses.
 */
export function resolveProxy({ environment, configured, on }: Sources, report: ReportProblem): ProxyChoice {
  if (configured !== undefined) {
    return new OwnProxy(configured === none ? undefined : configured);
  }
  const fromVariable = (name: string): HttpProxy | undefined => {
    const variable = environment[name.toLowerCase()] ? name.toLowerCase() : name;
    const text = environment[variable];
    const parsed = text ? parseProxy(text) : undefined;
    if (text && parsed === undefined && on) report(variable, "is not the URL of an HTTP proxy", fix);
    return parsed;
  };
  const { no_proxy, NO_PROXY } = environment;
  return new EnvironmentProxies(fromVariable("HTTPS_PROXY"), fromVariable("HTTP_PROXY"), no_proxy || NO_PROXY || "");
}

// The classes have their data as fields, so that equal configurations compare equal.

class OwnProxy implements ProxyChoice {
  readonly configured: string | HiddenText;
  readonly proxy: HttpProxy | undefined;

  constructor(proxy: HttpProxy | undefined) {
    this.configured = proxy === undefined ? none : describeProxy(proxy);
    this.proxy = proxy;
  }

  proxyOf(): HttpProxy | undefined {
    return this.proxy;
  }
}

function describeProxy({ place, url }: HttpProxy): string | HiddenText {
  const { username, password } = new URL(url.reveal());
  return username !== "" || password !== "" ? new HiddenText(undefined, place.replace("//", `//${removed}@`)) : place;
}

class EnvironmentProxies implements ProxyChoice {
  readonly configured = undefined;
  readonly https: HttpProxy | undefined;
  readonly http: HttpProxy | undefined;
  readonly exclusions: string;

  constructor(https: HttpProxy | undefined, http: HttpProxy | undefined, exclusions: string) {
    this.https = https;
    this.http = http;
    this.exclusions = exclusions;
  }

  proxyOf(url: URL): HttpProxy | undefined {
    const proxy = url.protocol === "https:" ? this.https : this.http;
    return isLoopback(hostOf(url)) || isExcluded(url, this.exclusions) ? undefined : proxy;
  }
}

/** Returns the host in lower case, without brackets and final dot. */
function hostOf({ hostname }: URL): string {
  return hostname.toLowerCase().replace(/^\[|\]$|\.$/g, "");
}

const familyOf = (address: string) => (isIP(address) === 6 ? "ipv6" : "ipv4");

const loopback = new BlockList();
loopback.addSubnet("127.0.0.0", 8, "ipv4");
loopback.addAddress("::1", "ipv6");

function isLoopback(host: string): boolean {
  if (isIP(host) !== 0) return loopback.check(host, familyOf(host));
  return host === "localhost" || host.endsWith(".localhost");
}

/**
 * Returns whether NO_PROXY excludes an address. Entries are hosts, which include their subdomains,
 * `*.example.com` for only these, addresses, networks such as `10.0.0.0/8`, each but the last with an optional port;
 * `*` excludes everything.
 */
function isExcluded(url: URL, text: string): boolean {
  const entries = text
    .toLowerCase()
    .split(/[\s,]+/)
    .filter((entry) => entry !== "");
  const networks = new BlockList();
  for (const entry of entries) addNetwork(networks, entry);
  const hosts = entries.map((entry) => {
    const [, host = entry, port] = /^(.+):(\d+)$/.exec(isIP(entry) === 6 ? "" : entry) ?? [];
    return { host: host.replace(/^\[|\]$|\.$/g, ""), port };
  });
  const name = hostOf(url);
  if (isIP(name) !== 0 && networks.check(name, familyOf(name))) return true;
  const urlPort = url.port || (url.protocol === "https:" ? "443" : "80");
  return hosts.some(({ host, port }) => {
    if (port !== undefined && port !== urlPort) return false;
    const domain = host.replace(/^\*?\./, "");
    return host === "*" || (name === domain && !host.startsWith("*.")) || name.endsWith(`.${domain}`);
  });
}

function addNetwork(networks: BlockList, entry: string): void {
  const [, address = "", bits] = /^([\da-f.:]+)\/(\d{1,3})$/.exec(entry) ?? [];
  const most = { 0: -1, 4: 32, 6: 128 }[isIP(address)] ?? -1;
  if (bits !== undefined && Number(bits) <= most) networks.addSubnet(address, Number(bits), familyOf(address));
}
