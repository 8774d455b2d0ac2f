import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hasOpenssl, issueCertificate } from "../support/certificates.ts";
import { startTestService, type TestService } from "../support/service.ts";
import { type Environment, installed, isMissing, run } from "./tools.ts";

const folder = new URL("../../examples/", import.meta.url).pathname;

/** Languages of `examples/`, with the tool that runs them. Go and Java: the programs that `.ci/interop-tools` builds. */
const languages: readonly {
  readonly name: string;
  readonly tool: string;
  readonly cwd: string;
  readonly environment?: Environment;
  parameters(example: string): readonly string[];
}[] = [
  {
    name: "TypeScript",
    tool: process.execPath,
    cwd: join(folder, "typescript"),
    parameters: (example) => [`${example}.ts`],
  },
  {
    name: "Python",
    tool: installed("python/bin/python"),
    cwd: join(folder, "python"),
    environment: { PYTHONPATH: installed("python-gen"), PYTHONDONTWRITEBYTECODE: "1" },
    parameters: (example) => [`${example}.py`],
  },
  {
    name: "Java",
    tool: installed("bin/java-examples"),
    cwd: join(folder, "java"),
    parameters: (example) => [example],
  },
  { name: "Go", tool: installed("bin/examples"), cwd: join(folder, "go"), parameters: (example) => [example] },
];

/** What each example prints. */
const printed: Readonly<Record<string, readonly string[]>> = {
  unary: ["What is the capital of France?", "6 input tokens, 6 output tokens"],
  stream: ["What is the capital of France?", "6 output tokens"],
  tool: ['get_weather {"city":"Paris"}', "18 degrees and sunny"],
  image: ["What is in this picture? [image/png]"],
  schema: ["Paris has 2100000 inhabitants"],
  turns: ["What is the capital of France?", "And of Italy?", "15 input tokens"],
  deadline: ["DEADLINE_EXCEEDED"],
  errors: ["INVALID_ARGUMENT INVALID_REQUEST", "chat.parameters.temperature: must be from 0 to 2"],
};

for (const { name, tool, cwd, environment, parameters } of languages) {
  describe.skipIf(isMissing(`${name} of examples/`, tool))(`the examples in ${name}`, () => {
    let service: TestService;
    beforeAll(async () => {
      service = await startTestService();
    });
    afterAll(() => service.stop());

    it.each(Object.entries(printed))("prints what %s should", async (example, lines) => {
      const address = { DRAGOMAN_ADDRESS: service.grpcAddress };
      const { code, stdout, stderr } = await run(tool, parameters(example), { ...environment, ...address }, { cwd });
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      expect(stdout.trimEnd().split("\n")).toEqual(lines);
    });

    it.skipIf(!hasOpenssl)("sends an API key over TLS", async () => {
      const certificates = mkdtempSync(join(tmpdir(), "dragoman-examples-"));
      issueCertificate(certificates, "server");
      const [certificate, key] = [join(certificates, "server.crt"), join(certificates, "server.key")];
      const yaml = `grpc: { tls: { certificate: ${certificate}, key: ${key} } }\n`;
      const secured = await startTestService({ DRAGOMAN_API_KEYS: "a-long-secret" }, undefined, yaml);
      try {
        const variables = {
          DRAGOMAN_ADDRESS: secured.grpcAddress,
          DRAGOMAN_CA: certificate,
          DRAGOMAN_API_KEY: "a-long-secret",
        };
        const { code, stdout } = await run(tool, parameters("unary"), { ...environment, ...variables }, { cwd });
        expect(code).toBe(0);
        expect(stdout.trimEnd().split("\n")).toEqual(printed.unary);
        const refused = { ...environment, ...variables, DRAGOMAN_API_KEY: undefined };
        const { stderr } = await run(tool, parameters("unary"), refused, { cwd });
        expect(stderr).toContain("this service requires an API key; send it as `x-api-key: <key>`");
      } finally {
        await secured.stop();
        rmSync(certificates, { recursive: true });
      }
    });
  });
}

it("has a row in examples/README.md for each example", () => {
  const page = readFileSync(join(folder, "README.md"), "utf8");
  expect([...page.matchAll(/^\| `([a-z]+)` \|/gm)].map(([, name]) => name)).toEqual(Object.keys(printed));
});
