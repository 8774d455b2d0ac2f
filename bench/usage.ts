/** CPU time and memory of processes, as the operating system reports them. */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";

const procfs = existsSync("/proc/self/stat");

/** Linux reports CPU times to user space in hundredths of a second on every architecture that Node supports. */
const microsecondsPerTick = 10_000;

export const usageSource = procfs ? "/proc/<pid>/stat and status" : "ps (less precise: this system has no /proc)";

/** Returns the user and system CPU time that a process has used so far, in µs. */
export function cpuMicroseconds(pid: number): number {
  if (!procfs) return parseTime(ps(pid, "time")) * 1e6;
  const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  // The command name in parentheses may contain spaces. Field 3 follows it; utime and stime are fields 14 and 15.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * microsecondsPerTick;
}

/** Returns the CPU time that all processes have used since boot, in µs. NaN if there is no /proc. */
export function machineMicroseconds(): number {
  if (!procfs) return Number.NaN;
  const [line = ""] = readFileSync("/proc/stat", "latin1").split("\n");
  // user nice system idle iowait irq softirq steal: https://man7.org/linux/man-pages/man5/proc_stat.5.html
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = line.split(/\s+/).slice(1).map(Number);
  return (user + nice + system + irq + softirq + steal) * microsecondsPerTick;
}

export interface Memory {
  readonly residentMiB: number;
  /** Maximum since the process started. NaN if there is no /proc. */
  readonly peakMiB: number;
}

export function memory(pid: number): Memory {
  if (!procfs) return { residentMiB: Number(ps(pid, "rss")) / 1024, peakMiB: Number.NaN };
  const status = readFileSync(`/proc/${pid}/status`, "latin1");
  const mebibytes = (field: string) => Number(new RegExp(`^${field}:\\s+(\\d+) kB`, "m").exec(status)?.[1]) / 1024;
  return { residentMiB: mebibytes("VmRSS"), peakMiB: mebibytes("VmHWM") };
}

function ps(pid: number, column: string): string {
  return execFileSync("ps", ["-o", `${column}=`, "-p", String(pid)], { encoding: "utf8" }).trim();
}

/** Converts `[[days-]hours:]minutes:seconds` to seconds. */
function parseTime(text: string): number {
  const [days = "0", clock = text] = text.includes("-") ? text.split("-") : ["0", text];
  return clock.split(":").reduce((seconds, part) => seconds * 60 + Number(part), 0) + Number(days) * 86_400;
}
