import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { describeConfig } from "../../src/config/describe.ts";
import { loadConfig } from "../../src/config/load.ts";
import { listedModels, providers } from "../../src/providers/registry.ts";
import { hasOpenssl, issueCertificate } from "../support/certificates.ts";
import { problemsOf, temporaryFolder, writeConfig } from "./harness.ts";

describe.skipIf(!hasOpenssl)("certificates (made with openssl; skipped where it is not installed)", () => {
  let folder = "";

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "dragoman-tls-"));
    for (const name of ["server", "other"]) issueCertificate(folder, name);
    const locked = ["-aes256", "-passout", "pass:x", "-out", join(folder, "locked.key")];
    execFileSync("openssl", ["ec", "-in", join(folder, "server.key"), ...locked], { stdio: "ignore" });
    const der = ["-outform", "DER", "-out", join(folder, "server.der")];
    execFileSync("openssl", ["x509", "-in", join(folder, "server.crt"), ...der], { stdio: "ignore" });
    writeFileSync(join(folder, "broken.crt"), readFileSync(join(folder, "server.crt"), "utf8").replace(/^MI/m, "XX"));
  });

  afterAll(() => rmSync(folder, { recursive: true }));

  const load = (tls: string) => loadConfig({ environment: {}, file: writeConfig(`grpc: { tls: { ${tls} } }`, folder) });

  it("reads TLS files relative to the configuration file's folder", () => {
    const read = (name: string) => readFileSync(join(folder, name));
    expect(load("certificate: server.crt, key: server.key").grpc.tls).toEqual({
      certificate: read("server.crt"),
      key: read("server.key"),
      clientAuthority: undefined,
    });
    const { tls } = load(`certificate: ${folder}/server.crt, key: server.key, client_authority: other.crt`).grpc;
    expect(tls?.clientAuthority).toEqual(read("other.crt"));
  });

  it.each([
    ["certificate: nowhere.crt, key: server.key", "certificate", "cannot be read: it does not exist (ENOENT)"],
    ["certificate: server.key, key: server.key", "certificate", "is not a certificate"],
    ["certificate: broken.crt, key: server.key", "certificate", "is not a certificate"],
    ["certificate: server.der, key: server.key", "certificate", "is not a certificate"],
    ["certificate: server.crt, key: server.crt", "key", "is not a private key"],
    ["certificate: server.crt, key: locked.key", "key", "is not a private key"],
    ["certificate: server.crt, key: other.key", "key", "does not match the certificate"],
    [
      "certificate: server.crt, key: server.key, client_authority: .",
      "client_authority",
      "cannot be read: it is a folder (EISDIR)",
    ],
    [
      "certificate: server.crt, key: server.key, client_authority: server.key",
      "client_authority",
      "is not a list of certificates",
    ],
    ["certificate: server.crt", "key", "is missing"],
  ])("rejects the TLS files %s", (tls, key, problem) => {
    expect(problemsOf(() => load(tls))).toEqual([{ path: `grpc.tls.${key}`, problem, fix: expect.any(String) }]);
  });

  it("describes certificates by their paths, with subject and expiry in a comment", () => {
    const tls = { certificate: "server.crt", key: "server.key", client_authority: "other.crt" };
    const config = load("certificate: server.crt, key: server.key, client_authority: other.crt");
    const shown = describeConfig(config, { written: { grpc: { tls } }, folder: "/etc/dragoman" });
    expect(shown).toMatch(/# CN=server, expires \d{4}-.*\n {4}certificate: \/etc\/dragoman\/server.crt\n/);
    expect(shown).toMatch(/# CN=other, expires .*\n {4}client_authority: \/etc\/dragoman\/other.crt\n/);
    expect(shown).toContain("    key: /etc/dragoman/server.key\n");
    expect(shown).not.toContain("BEGIN");
  });

  it("loads the example file with its commented-out settings", () => {
    const example = readFileSync(resolve(import.meta.dirname, "../../dragoman.example.yaml"), "utf8");
    const yaml = example.replace(/^( +)# ( *(?:(?:- )?[a-z0-9_-]+:(?: |$)|- \{ ).*)$/gm, "$1$2");
    const place = temporaryFolder();
    mkdirSync(join(place, "tls"));
    for (const name of ["server.crt", "server.key"]) cpSync(join(folder, name), join(place, "tls", name));
    cpSync(join(folder, "other.crt"), join(place, "tls", "clients.crt"));
    const environment = {
      OTLP_KEY: "k",
      BILLING_KEY_SHA256: "ab".repeat(32),
      TEAM_OPENAI_KEY: "k",
      OPENAI_PROJECT: "p",
    };
    const config = loadConfig({
      environment,
      file: writeConfig(yaml, place),
      providers,
      models: listedModels({}),
    });
    expect(config.grpc.tls?.clientAuthority).toBeDefined();
    expect(config.routes.map(({ id, hedge }) => [id, hedge])).toEqual([["chat-fast", { after: "p95", budget: 0.02 }]]);
    expect(config.authentication.keys).toHaveLength(1);
    const headers = { "openai-project": "p" };
    expect(config.providers).toContainEqual(expect.objectContaining({ name: "openai", headers }));
  });
});
