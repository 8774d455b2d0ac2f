import { onlyInProcess } from "../../adapters.ts";
import type { Config } from "../../config/config.ts";
import { ConfigError } from "../../config/config-error.ts";
import { FilesRead } from "../../reload/reloader.ts";
import { toSent } from "../../thread/messages.ts";
import type { AppliedReply, ReloadReply, SupervisorSettings } from "../../workers/messages.ts";
import type { ConfigSource } from "./config-source.ts";

/** Reads the configuration again and applies it. Never rejects. */
export async function replyTo(
  load: ConfigSource["load"],
  applyConfig: (next: Config) => AppliedReply["reloaded"],
): Promise<ReloadReply> {
  const read = new FilesRead();
  try {
    const next = await load(read.onRead);
    const { changes, needRestart } = applyConfig(next);
    return { reloaded: { changes, needRestart }, settings: settingsOf(next), files: [...read.states] };
  } catch (error) {
    const files = [...read.states];
    return error instanceof ConfigError ? { problems: error.problems, files } : { error: toSent(error), files };
  }
}

/** Returns what the supervisor follows of a configuration. */
export function settingsOf(config: Config): SupervisorSettings {
  const { log, shutdown } = config;
  const hasModels = onlyInProcess(config).providers.length > 0;
  return { log, stopMs: shutdown.delayMs + shutdown.graceMs, hasModels };
}
