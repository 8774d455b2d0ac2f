import { createRequire } from "node:module";
import type * as undici from "undici";

// The parts of undici that send requests. The whole package takes four times as long to load and 8 MB more, most of it
// for fetch, WebSocket, caches and mocks. The version is exact, so that the files are where they are.
const require = createRequire(import.meta.url);

export const Agent: typeof undici.Agent = require("undici/lib/dispatcher/agent.js");
export const Client: typeof undici.Client = require("undici/lib/dispatcher/client.js");
export const Pool: typeof undici.Pool = require("undici/lib/dispatcher/pool.js");
export const buildConnector: typeof undici.buildConnector = require("undici/lib/core/connect.js");
