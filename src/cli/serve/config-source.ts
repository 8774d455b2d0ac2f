import type { Config } from "../../config/config.ts";
import type { OnRead } from "../../config/config-file.ts";
import type { Environment } from "../../config/environment.ts";
import type { FilesRead } from "../../reload/reloader.ts";

/** The configuration of the process, and where it came from. */
export interface ConfigSource {
  readonly config: Config;
  /** Files that it was read from. */
  readonly files: FilesRead;
  readonly environment: Environment;
  /** Reads it again, and loads the adapters of its providers. Rejects with ConfigError. */
  load(onRead?: OnRead): Promise<Config>;
}
