import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import type { Environment } from "../../../src/config/environment.ts";
import {
  detectLocal,
  engineFolder,
  knownModels,
  modelPath,
  preparedModels,
} from "../../../src/providers/local/home.ts";
import { localModels } from "../../../src/providers/local/models.ts";

const home = mkdtempSync(join(tmpdir(), "dragoman-local-"));
const [first, second, third] = knownModels;

function put(path: string): string {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, "");
  return path;
}

describe("the files of the local provider", () => {
  afterEach(() => rmSync(home, { recursive: true, force: true }));

  it("requires both the engine and a model", () => {
    const environment = { DRAGOMAN_LOCAL_HOME: home };
    expect(detectLocal(environment)).toContain("npm run prepare:local");
    mkdirSync(engineFolder(home), { recursive: true });
    expect(detectLocal(environment)).toContain("npm run prepare:local");
    put(modelPath(home, first));
    expect(detectLocal(environment)).toBeUndefined();
  });

  it("lists the model in DRAGOMAN_LOCAL_MODEL first", () => {
    put(modelPath(home, first));
    put(modelPath(home, second));
    const names = (model?: string) =>
      preparedModels({ DRAGOMAN_LOCAL_HOME: home, DRAGOMAN_LOCAL_MODEL: model }).map(({ name }) => name);
    expect(names()).toEqual([first.name, second.name]);
    expect(names(second.name)).toEqual([second.name, first.name]);
  });

  it("accepts the path of another model file in DRAGOMAN_LOCAL_MODEL", () => {
    mkdirSync(engineFolder(home), { recursive: true });
    const path = put(join(home, "Mine-7B.gguf"));
    const environment = { DRAGOMAN_LOCAL_HOME: home, DRAGOMAN_LOCAL_MODEL: path };
    expect(preparedModels(environment)).toEqual([{ name: "mine-7b", displayName: "Mine-7B", path }]);
    expect(detectLocal(environment)).toBeUndefined();
    expect(detectLocal({ ...environment, DRAGOMAN_LOCAL_MODEL: `${path}.gone` })).toContain("names no file");
  });

  it("embeds with the models of chat, and with the file in DRAGOMAN_LOCAL_EMBEDDING_MODEL before them", () => {
    mkdirSync(engineFolder(home), { recursive: true });
    const path = put(join(home, "Embed-Text.gguf"));
    const ids = (environment: Environment) =>
      localModels({ DRAGOMAN_LOCAL_HOME: home, ...environment }).map(({ id, aliases, embeddingDimensions }) => {
        return [id, aliases, embeddingDimensions];
      });
    const variable = "DRAGOMAN_LOCAL_EMBEDDING_MODEL";
    // No model for chat is required.
    expect(ids({ [variable]: path })).toEqual([["local/embed/embed-text", ["local/embed"], 0]]);
    expect(detectLocal({ DRAGOMAN_LOCAL_HOME: home, [variable]: path })).toBeUndefined();
    expect(detectLocal({ DRAGOMAN_LOCAL_HOME: home, [variable]: `${path}.gone` })).toContain(
      `${variable} names no file`,
    );
    put(modelPath(home, first));
    put(modelPath(home, second));
    const chat = [
      [`local/${first.name}`, ["local/default"], 0],
      [`local/${second.name}`, [], 0],
    ];
    expect(ids({ [variable]: second.name })).toEqual([
      ...chat,
      [`local/embed/${second.name}`, ["local/embed"], second.dimensions],
      [`local/embed/${first.name}`, [], first.dimensions],
    ]);
    // Embedding models come before those of chat, and are none of them.
    put(modelPath(home, third));
    expect(ids({})).toEqual([
      ...chat,
      [`local/embed/${third.name}`, ["local/embed"], third.dimensions],
      [`local/embed/${first.name}`, [], first.dimensions],
      [`local/embed/${second.name}`, [], second.dimensions],
    ]);
    expect(detectLocal({ DRAGOMAN_LOCAL_HOME: home, DRAGOMAN_LOCAL_MODEL: third.name })).toContain(variable);
    // The same file can have both.
    expect(ids({ DRAGOMAN_LOCAL_MODEL: path, [variable]: path }).map(([id]) => id)).toEqual([
      ...["local/embed-text", `local/${first.name}`, `local/${second.name}`],
      ...["embed-text", ...[third, first, second].map(({ name }) => name)].map((name) => `local/embed/${name}`),
    ]);
  });
});
