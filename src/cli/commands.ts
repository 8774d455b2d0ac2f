import type { Command } from "./command.ts";

/** Line of the table of commands. */
export interface CommandRow {
  /** Words that follow the program's name. */
  readonly words: string;
  /** What the command does, for `dragoman --help`: an imperative. */
  readonly summary: string;
  /** Loads the command's file, which loads what the command needs. */
  load(): Promise<{ readonly command: Command }>;
}

/** All commands, in the order of `dragoman --help`. */
export const commands: readonly CommandRow[] = [
  { words: "serve", summary: "start the service; the default", load: () => import("./serve.ts") },
  { words: "check", summary: "check the configuration and print it without secrets", load: () => import("./check.ts") },
  { words: "health", summary: "ask a running service whether it is ready", load: () => import("./health.ts") },
  { words: "chat", summary: "call a model of a running service", load: () => import("./chat/chat.ts") },
  {
    words: "plan",
    summary: "show what a model would get, without a call of the provider",
    load: () => import("./plan/plan.ts"),
  },
  { words: "models", summary: "list the models of a running service", load: () => import("./models/models.ts") },
  {
    words: "targets",
    summary: "show which targets and keys work, by the state of routing",
    load: () => import("./targets/targets.ts"),
  },
  { words: "usage", summary: "show what calls used and cost", load: () => import("./usage/usage.ts") },
  { words: "keys create", summary: "create an API key and print it", load: () => import("./keys/create.ts") },
  { words: "keys list", summary: "list the API keys of the database", load: () => import("./keys/list.ts") },
  {
    words: "keys rotate",
    summary: "give an API key a new secret and print it",
    load: () => import("./keys/rotate.ts"),
  },
  { words: "keys revoke", summary: "revoke an API key", load: () => import("./keys/revoke.ts") },
  {
    words: "local prepare",
    summary: "download a language model that runs on this machine",
    load: () => import("./local/prepare.ts"),
  },
  { words: "hash-key", summary: "print the SHA-256 of an API key", load: () => import("./hash-key.ts") },
];
