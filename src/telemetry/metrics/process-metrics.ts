import { readdirSync, readFileSync } from "node:fs";
import type { MetricDefinition } from "./definitions.ts";
import { type Family, readWhenAsked } from "./metrics.ts";

/** Metrics of the process, with the names that Prometheus' client libraries use. */
export const processDefinitions = {
  cpu: {
    name: "process_cpu_seconds_total",
    type: "counter",
    labels: [],
    help: "User and system CPU time of the process in seconds.",
  },
  startTime: {
    name: "process_start_time_seconds",
    type: "gauge",
    labels: [],
    overProcesses: "min",
    help: "Start time of the process in seconds since 1970.",
  },
  memory: { name: "process_resident_memory_bytes", type: "gauge", labels: [], help: "Resident memory in bytes." },
  openFiles: { name: "process_open_fds", type: "gauge", labels: [], help: "Open file descriptors." },
  maxFiles: {
    name: "process_max_fds",
    type: "gauge",
    labels: [],
    overProcesses: "max",
    help: "Maximum number of open file descriptors.",
  },
  heapTotal: {
    name: "nodejs_heap_size_total_bytes",
    type: "gauge",
    labels: [],
    help: "Heap size of Node.js in bytes.",
  },
  heapUsed: {
    name: "nodejs_heap_size_used_bytes",
    type: "gauge",
    labels: [],
    help: "Used part of the heap of Node.js in bytes.",
  },
  external: {
    name: "nodejs_external_memory_bytes",
    type: "gauge",
    labels: [],
    help: "Memory of Node.js outside of its heap in bytes.",
  },
  version: {
    name: "nodejs_version_info",
    type: "gauge",
    labels: ["version"],
    overProcesses: "max",
    help: "Version of Node.js.",
  },
} as const satisfies Record<string, MetricDefinition>;

export function createProcessMetrics(): readonly Family[] {
  const startSeconds = (Date.now() - performance.now()) / 1000;
  const { cpu, startTime, memory, openFiles, maxFiles, heapTotal, heapUsed, external, version } = processDefinitions;
  return [
    readWhenAsked(cpu, () => {
      const { userCPUTime, systemCPUTime } = process.resourceUsage();
      return (userCPUTime + systemCPUTime) / 1e6;
    }),
    readWhenAsked(startTime, () => startSeconds),
    readWhenAsked(memory, () => process.memoryUsage.rss()),
    readWhenAsked(openFiles, () => fromProc(() => readdirSync("/proc/self/fd").length)),
    readWhenAsked(maxFiles, () => fromProc(readMaxFiles)),
    readWhenAsked(heapTotal, () => process.memoryUsage().heapTotal),
    readWhenAsked(heapUsed, () => process.memoryUsage().heapUsed),
    readWhenAsked(external, () => process.memoryUsage().external),
    readWhenAsked(version, () => [{ labels: [process.version], value: 1 }]),
  ];
}

/** Reads a value from /proc. Undefined on systems without it. */
function fromProc(read: () => number | undefined): number | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

function readMaxFiles(): number | undefined {
  const [, soft] = /^Max open files\s+(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8")) ?? [];
  return soft === undefined ? undefined : Number(soft);
}
