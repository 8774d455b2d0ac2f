import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Whether openssl is installed, which issues the certificates of tests. */
export const hasOpenssl = spawnSync("openssl", ["version"]).status === 0;

export interface Certificate {
  readonly certificate: Buffer;
  readonly key: Buffer;
}

/** What is special about a certificate. */
interface Properties {
  /** Subject alternative names. Default: `IP:127.0.0.1`. */
  readonly names?: string;
  /** Valid only in 2020. */
  readonly expired?: boolean;
}

const openssl = (...parameters: readonly string[]) => execFileSync("openssl", parameters, { stdio: "ignore" });

/** Creates a self-signed certificate: the files `<name>.crt` and `<name>.key` in `folder`. */
export function issueCertificate(
  folder: string,
  name: string,
  { names = "IP:127.0.0.1", expired = false }: Properties = {},
): Certificate {
  const files = { certificate: join(folder, `${name}.crt`), key: join(folder, `${name}.key`) };
  const subject = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", `/CN=${name}`];
  const extension = ["-addext", `subjectAltName=${names}`, "-keyout", files.key];
  if (!expired) {
    openssl("req", "-x509", "-days", "2", ...subject, ...extension, "-out", files.certificate);
  } else {
    // Only `openssl ca` sets both dates. It needs a database.
    const path = (file: string) => join(folder, `${name}.${file}`);
    writeFileSync(path("db"), "");
    const database = `database=${path("db")}\nnew_certs_dir=${folder}\ndefault_md=sha256\nrand_serial=yes\npolicy=p`;
    writeFileSync(
      path("cnf"),
      `[ca]\ndefault_ca=d\n[d]\n${database}\ncopy_extensions=copy\n[p]\ncommonName=supplied\n`,
    );
    openssl("req", "-new", ...subject, ...extension, "-out", path("csr"));
    const dates = ["-startdate", "20200101000000Z", "-enddate", "20201231000000Z"];
    const input = ["-config", path("cnf"), "-in", path("csr"), "-keyfile", files.key];
    openssl("ca", "-batch", "-selfsign", "-notext", ...input, ...dates, "-out", files.certificate);
  }
  return { certificate: readFileSync(files.certificate), key: readFileSync(files.key) };
}

/** Creates a self-signed certificate without files that stay. */
export function temporaryCertificate(properties: Properties = {}): Certificate {
  const folder = mkdtempSync(join(tmpdir(), "dragoman-certificate-"));
  try {
    return issueCertificate(folder, "upstream", properties);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
