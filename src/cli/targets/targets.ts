import { setTimeout } from "node:timers/promises";
import { toJsonString } from "@bufbuild/protobuf";
import { parseDuration } from "../../config/quantities.ts";
import { RoutingService } from "../../gen/dragoman/admin/v1/routing_service_pb.js";
import { type Target, TargetSchema } from "../../gen/dragoman/admin/v1/target_pb.js";
import { defineCommand } from "../command.ts";
import { UsageError } from "../failures.ts";
import { type Connection, withService } from "../remote/connection.ts";
import { connectionOptions } from "../remote/connection-options.ts";
import { allPages } from "../remote/pages.ts";
import type { Shell } from "../shell.ts";
import { stylesFor } from "../styles.ts";
import { escapeControls } from "../terminal-text.ts";
import { describeTargets } from "./describe-targets.ts";

const usualIntervalMs = 2000;

export const command = defineCommand({
  description: `Shows the targets of a running service, as its routing sees them: whether the circuit breaker lets
calls through, how many attempts failed, the time to the first output, and keys that wait after a
failure. If the service requires API keys, it needs one with the role viewer or admin.`,
  options: {
    route: { type: "string", value: "<id>", help: "only targets of this route; default: all" },
    watch: { type: "boolean", help: "show the state again and again, until Ctrl-C" },
    interval: { type: "string", value: "<duration>", help: "time between two looks with --watch; default: 2s" },
    json: { type: "boolean", help: "print JSON: one Target per line" },
    ...connectionOptions,
  },
  examples: [
    ["See which targets of a route work", "targets --route chat-fast"],
    ["Watch all targets", "targets --watch"],
  ],
  async run(values, _, shell) {
    const { watch = false, json = false, route = "" } = values;
    if (values.interval !== undefined && !watch) throw new UsageError("--interval is only for --watch");
    const intervalMs = values.interval === undefined ? usualIntervalMs : parseDuration(values.interval);
    if (!intervalMs) throw new UsageError("--interval is no duration; write 500ms, 2s or 1m");
    await withService(values, shell, async (connection) => {
      let block = 0;
      do {
        if (block > 0) await setTimeout(intervalMs, undefined, { signal: connection.callOptions().signal });
        print(await listTargets(connection, route), shell, { json, watch, block });
        block++;
      } while (watch);
    });
  },
});

function listTargets({ client, callOptions }: Connection, route: string): Promise<readonly Target[]> {
  return allPages(async (page) => {
    const { targets, nextPageToken } = await client(RoutingService).listTargets({ route, ...page }, callOptions());
    return { items: targets, nextPageToken };
  });
}

/** Moves the cursor to the first column of the first line, and erases what follows it. */
const clear = "\u001b[H\u001b[J";

interface Manner {
  readonly json: boolean;
  readonly watch: boolean;
  /** Number of earlier looks. */
  readonly block: number;
}

function print(targets: readonly Target[], { stdout, stderr, environment }: Shell, { json, watch, block }: Manner) {
  if (json) {
    stdout.write(targets.map((target) => `${escapeControls(toJsonString(TargetSchema, target))}\n`).join(""));
    return;
  }
  const isDrawn = watch && stdout.isTTY === true;
  const before = isDrawn ? clear : block > 0 ? "\n" : "";
  if (targets.length > 0) {
    const table = describeTargets(targets, stylesFor(stdout, environment), {
      nowMs: Date.now(),
      width: stdout.columns,
    });
    stdout.write(before + table);
  } else if (block === 0) {
    stderr.write("dragoman: no target yet: the configuration has no routes, and no model was called\n");
  }
}
