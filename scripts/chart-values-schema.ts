import type { JsonForm } from "../src/config/json-forms.ts";

const text: JsonForm = { type: "string" };
const flag: JsonForm = { type: "boolean" };
const count: JsonForm = { type: "integer", minimum: 0 };
const port: JsonForm = { type: "integer", minimum: 0, maximum: 65_535 };
const list: JsonForm = { type: "array" };
/** An object of the Kubernetes API, which Kubernetes checks. */
const open: JsonForm = { type: "object" };
const texts: JsonForm = { type: "object", additionalProperties: { type: "string" } };
const quantity: JsonForm = { type: "string", pattern: "^[0-9.]+([EPTGMK]i?|k|m)?$" };
const countOrShare: JsonForm = { anyOf: [count, { type: "string", pattern: "^[0-9]+%$" }] };
const oneOf = (...names: readonly string[]): JsonForm => ({ enum: [...names] });

const section = (properties: Record<string, JsonForm>): JsonForm => ({
  type: "object",
  additionalProperties: false,
  properties,
});

/** The JSON Schema of the chart's values, without that of `config`. */
export const chartValuesSchema: JsonForm = {
  title: "Values of the chart of Dragoman",
  ...section({
    // Helm adds it when the chart is a dependency.
    global: open,
    image: section({
      repository: { type: "string", minLength: 1 },
      tag: text,
      digest: { type: "string", pattern: "^(sha256:[0-9a-f]{64})?$" },
      pullPolicy: oneOf("Always", "IfNotPresent", "Never"),
    }),
    imagePullSecrets: list,
    nameOverride: text,
    fullnameOverride: text,
    replicaCount: count,
    reload: flag,
    existingSecret: text,
    secret: texts,
    extraEnv: list,
    extraEnvFrom: list,
    persistence: section({
      enabled: flag,
      size: quantity,
      storageClass: text,
      annotations: texts,
      whenScaled: oneOf("Retain", "Delete"),
      whenDeleted: oneOf("Retain", "Delete"),
    }),
    service: section({
      type: oneOf("ClusterIP", "NodePort", "LoadBalancer"),
      annotations: texts,
      grpcPort: port,
      httpPort: port,
    }),
    serviceAccount: section({ create: flag, name: text, annotations: texts, automountToken: flag }),
    podAnnotations: texts,
    podLabels: texts,
    podSecurityContext: open,
    securityContext: open,
    resources: open,
    maxHeapMiB: { type: "integer", minimum: 128 },
    readinessProbe: open,
    livenessProbe: open,
    startupProbe: open,
    terminationGracePeriodSeconds: { anyOf: [count, { type: "null" }] },
    podDisruptionBudget: section({ enabled: flag, maxUnavailable: countOrShare }),
    autoscaling: section({
      enabled: flag,
      minReplicas: { type: "integer", minimum: 1 },
      maxReplicas: { type: "integer", minimum: 1 },
      targetCPUUtilizationPercentage: { type: "integer", minimum: 1 },
      metrics: list,
      behavior: open,
    }),
    metrics: section({ port }),
    serviceMonitor: section({
      enabled: flag,
      interval: { type: "string", pattern: "^[0-9]+(ms|s|m|h)$" },
      labels: texts,
      authorization: open,
    }),
    prometheusRule: section({ enabled: flag, labels: texts }),
    networkPolicy: section({ enabled: flag, from: list, metricsFrom: list }),
    updateStrategy: open,
    nodeSelector: texts,
    tolerations: list,
    affinity: open,
    topologySpreadConstraints: list,
    priorityClassName: text,
    extraVolumes: list,
    extraVolumeMounts: list,
  }),
};
