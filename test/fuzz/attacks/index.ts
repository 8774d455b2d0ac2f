import type { Attack } from "../driver.ts";
import { http1 } from "./http1.ts";
import { http2 } from "./http2.ts";
import { json } from "./json.ts";
import { protobuf } from "./protobuf.ts";
import { llmEngineV1, providers } from "./providers.ts";

/** Every attack surface. */
export const attacks: readonly Attack[] = [http1, http2, protobuf, json, providers, llmEngineV1];
