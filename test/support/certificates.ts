import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";

/** Whether openssl is installed, which issues the certificates of tests. */
export const hasOpenssl = spawnSync("openssl", ["version"]).status === 0;

export interface Certificate {
  readonly certificate: Buffer;
  readonly key: Buffer;
}

/** Creates a self-signed certificate for 127.0.0.1: the files `<name>.crt` and `<name>.key` in `folder`. */
export function issueCertificate(folder: string, name: string): Certificate {
  const files = { certificate: join(folder, `${name}.crt`), key: join(folder, `${name}.key`) };
  const options = `-x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=${name}`;
  const names = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", files.key, "-out", files.certificate];
  execFileSync("openssl", ["req", ...options.split(" "), ...names], { stdio: "ignore" });
  return { certificate: readFileSync(files.certificate), key: readFileSync(files.key) };
}
