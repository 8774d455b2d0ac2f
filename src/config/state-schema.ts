import type { z } from "zod";
import { missingPackages } from "../optional-packages.ts";
import { HiddenText, removed } from "./described.ts";
import { matching } from "./json-forms.ts";
import { leaf, pattern, section } from "./rules.ts";
import { Secret } from "./secret.ts";
import type { RedisSettings } from "./state.ts";

interface RedisUrl {
  readonly url: Secret;
  readonly shownUrl: string;
}

function parseRedisUrl(value: unknown): RedisUrl | undefined {
  const url = URL.parse(typeof value === "string" ? value.trim() : "");
  if (url === null || !/^rediss?:$/.test(url.protocol) || url.hostname === "") return undefined;
  if (!/^(\/\d{0,5})?$/.test(url.pathname) || url.search !== "" || url.hash !== "") return undefined;
  const secret = new Secret(url.href);
  if (url.password !== "") url.password = "REMOVED";
  return { url: secret, shownUrl: url.href };
}

const redisUrl = leaf({
  parse: parseRedisUrl,
  problem: "is not a redis:// or rediss:// URL",
  fix: "write it as redis://user:password@host:6379/0; user, password, port and database can be left out",
  forms: [matching("^\\s*[rR][eE][dD][iI][sS][sS]?://[^?#]+$", "redis://host:6379/0")],
});

/** Schema of the section `state`. */
export const stateSchema = section({
  redis: redisUrl
    .check(({ issues }) => {
      const missing = missingPackages(["@redis/client"]);
      if (missing === undefined) return;
      issues.push({ code: "custom", input: undefined, message: missing.problem, params: { fix: missing.fix } });
    })
    .optional(),
  prefix: pattern(
    /^[A-Za-z0-9._-]{1,64}$/,
    "write up to 64 letters, digits, dots, hyphens and underscores, such as dragoman",
  ).prefault("dragoman"),
});

/** Returns the settings of the section `state`. Undefined: replicas share no state. */
export function resolveState({ redis, prefix }: z.output<typeof stateSchema>): RedisSettings | undefined {
  return redis && { ...redis, prefix };
}

/** Describes the section for `--check`. */
export function describeState(settings: RedisSettings | undefined) {
  return { redis: settings && describeUrl(settings), prefix: settings?.prefix };
}

function describeUrl({ url, shownUrl }: RedisSettings): string | HiddenText {
  return shownUrl === url.reveal()
    ? shownUrl
    : new HiddenText(undefined, shownUrl.replace(":REMOVED@", `:${removed}@`));
}
