import { execFileSync, spawnSync } from "node:child_process";
import { globSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { parse, parseAllDocuments } from "yaml";
import { loadConfig } from "../../src/config/load.ts";
import { dialects, listedModels, providers } from "../../src/providers/registry.ts";
import { installed, isMissing } from "../interop/tools.ts";
import { withFile } from "../support/service.ts";

const root = resolve(import.meta.dirname, "../..");
const chart = resolve(root, "deploy/chart");
const helm = installed("bin/helm");
const examples = globSync("deploy/chart/examples/*.yaml", { cwd: root }).sort();

/** An object of the Kubernetes API. */
interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly [field: string]: unknown;
}

/** Renders the chart. Throws what Helm prints on standard error. */
function render(...options: readonly string[]): readonly Manifest[] {
  const args = ["template", "release", chart, "--kube-version", "1.31", ...options];
  const { status, stdout, stderr } = spawnSync(helm, args, { cwd: root, encoding: "utf8" });
  if (status !== 0) throw new Error(stderr);
  return parseAllDocuments(stdout).flatMap((document): Manifest[] => document.toJS() ?? []);
}

function only(manifests: readonly Manifest[], kind: string): Manifest {
  const [found, ...more] = manifests.filter((manifest) => manifest.kind === kind);
  expect(more).toEqual([]);
  if (found === undefined) throw new Error(`there is no ${kind}`);
  return found;
}

/** The configuration file that the pods read. */
function fileIn(manifests: readonly Manifest[]): string {
  const { data } = only(manifests, "ConfigMap") as Manifest & { readonly data: Readonly<Record<string, string>> };
  return data["dragoman.yaml"] ?? "";
}

interface Pod {
  readonly metadata: { readonly annotations?: Readonly<Record<string, string>> };
  readonly spec: {
    readonly terminationGracePeriodSeconds: number;
    readonly volumes: readonly { readonly name: string; readonly emptyDir?: object }[];
    readonly containers: readonly [Readonly<Record<string, unknown>>];
  };
}

function podIn(manifests: readonly Manifest[]): Pod {
  const workload = manifests.find(({ kind }) => kind === "StatefulSet" || kind === "Deployment");
  return (workload?.spec as { readonly template: Pod }).template;
}

const graceOf = (...options: readonly string[]) => podIn(render(...options)).spec.terminationGracePeriodSeconds;

const variables = {
  DATABASE_URL: "postgres://me:secret@db.example/dragoman",
  REDIS_URL: "redis://redis.example",
  BILLING_KEY_SHA256: "0a".repeat(32),
  EMBEDDINGS_KEY: "key",
  OPENAI_API_KEY: "key",
  ANTHROPIC_API_KEY: "key",
  DRAGOMAN_API_KEYS: "key",
};

describe.skipIf(isMissing("Helm", helm))("the chart", () => {
  it("has no mistakes that helm lint finds", () => {
    const args = ["lint", chart, "--strict", "--quiet", ...examples.flatMap((path) => ["--values", path])];
    execFileSync(helm, args, { cwd: root });
  });

  it.each([
    ["its own values"],
    ...examples.map((path) => [path]),
  ])("renders a configuration that the service accepts from %s", (path = "") => {
    const manifests = render(...(examples.includes(path) ? ["--values", path] : []));
    const withoutTls = fileIn(manifests).replaceAll(/^ *tls:\n(?: {4,}.*\n?)+/gm, "");
    const config = withFile(withoutTls, (file) =>
      loadConfig({ environment: variables, file, providers, dialects, models: listedModels({}) }),
    );
    expect(config.authentication.mode).toBe("keys");
    expect(config.store.outbox).toBe("/var/lib/dragoman/outbox");
    const { delayMs, graceMs } = config.shutdown;
    expect(podIn(manifests).spec.terminationGracePeriodSeconds).toBe((delayMs + graceMs) / 1000 + 10);
  });

  it("computes the termination grace period from delay and grace, in every unit", () => {
    expect(graceOf()).toBe(10 + 120 + 10);
    expect(graceOf("--set", "config.shutdown.delay=1500ms,config.shutdown.grace=1h")).toBe(2 + 3600 + 10);
    expect(graceOf("--set", "config.shutdown.delay=2500,config.shutdown.grace=0")).toBe(3 + 10);
    expect(graceOf("--set", "terminationGracePeriodSeconds=77")).toBe(77);
    expect(graceOf("--set", `config.shutdown.grace=$\{GRACE},terminationGracePeriodSeconds=77`)).toBe(77);
    expect(() => render("--set", `config.shutdown.grace=$\{GRACE}`)).toThrow("set terminationGracePeriodSeconds");
  });

  it("probes gRPC, and HTTP if gRPC has TLS", () => {
    const [plain] = podIn(render()).spec.containers;
    const grpc = { grpc: { port: 50051 } };
    expect(plain).toMatchObject({ startupProbe: grpc, readinessProbe: grpc, livenessProbe: grpc });
    const [tls] = podIn(render("--values", "deploy/chart/examples/tls.yaml")).spec.containers;
    expect(tls).toMatchObject({
      readinessProbe: { httpGet: { path: "/readyz", port: "http", scheme: "HTTPS" } },
      livenessProbe: { httpGet: { path: "/healthz", port: "http", scheme: "HTTPS" } },
    });
  });

  it("gives each pod a volume that stays, or an emptyDir without persistence", () => {
    const kept = only(render(), "StatefulSet");
    expect(kept.spec).toMatchObject({
      serviceName: "release-dragoman-headless",
      persistentVolumeClaimRetentionPolicy: { whenScaled: "Retain", whenDeleted: "Retain" },
      volumeClaimTemplates: [{ metadata: { name: "data" }, spec: { accessModes: ["ReadWriteOnce"] } }],
    });
    const manifests = render("--values", "deploy/chart/examples/trial.yaml");
    only(manifests, "Deployment");
    expect(podIn(manifests).spec.volumes.find(({ name }) => name === "data")?.emptyDir).toBeDefined();
  });

  it("resolves names of the headless service to the pods", () => {
    const services = render().filter(({ kind }) => kind === "Service");
    const headless = services.find(({ metadata }) => metadata.name === "release-dragoman-headless");
    expect(headless?.spec).toMatchObject({ clusterIP: "None" });
  });

  it("restarts pods after a change of the configuration only without reload", () => {
    const checksum = (...options: readonly string[]) =>
      podIn(render(...options)).metadata.annotations?.["checksum/config"];
    expect(checksum()).toBeUndefined();
    const before = checksum("--set", "reload=false");
    expect(before).toMatch(/^[0-9a-f]{64}$/);
    expect(checksum("--set", "reload=false,config.log.level=debug")).not.toBe(before);
  });

  it("writes secrets only to the Secret", () => {
    const manifests = render("--set", "secret.OPENAI_API_KEY=very-secret");
    expect(only(manifests, "Secret")).toMatchObject({ stringData: { OPENAI_API_KEY: "very-secret" } });
    expect(JSON.stringify(manifests.filter(({ kind }) => kind !== "Secret"))).not.toContain("very-secret");
  });

  it("runs without privileges and with a read-only root folder", () => {
    const [container] = podIn(render()).spec.containers;
    expect(container.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ["ALL"] },
    });
  });

  it("passes the alerts on unchanged", () => {
    const rule = only(render("--set", "prometheusRule.enabled=true"), "PrometheusRule");
    expect(rule.spec).toEqual(parse(readFileSync(resolve(chart, "alerts.yaml"), "utf8")));
  });

  it.each([
    ["config.grpc.adress=0.0.0.0:1", "at '/config/grpc': additional properties 'adress' not allowed"],
    ["config.limits.max_call_duration=soon", "at '/config/limits/max_call_duration'"],
    ["config.providers.vertex.options.zone=eu", "additional properties 'zone' not allowed"],
    ["config.grpc.address=50051", "at '/config/grpc/address'"],
    ["replicaCount=-1", "at '/replicaCount'"],
    ["persistence.whenScaled=Keep", "at '/persistence/whenScaled'"],
    ["autoscaling.max=3", "additional properties 'max' not allowed"],
    ["imagePullSecret=a", "additional properties 'imagePullSecret' not allowed"],
  ])("rejects the value %s", (value, error) => {
    expect(() => render("--set", value)).toThrow(error);
  });
});
