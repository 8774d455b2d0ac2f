import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { resolve } from "node:path";
import { createSecureContext } from "node:tls";
import { describeSystemError, systemCode } from "../system-error.ts";
import type { TlsFiles } from "./config.ts";
import type { ReportProblem } from "./config-error.ts";
import { type OnRead, readAndReport } from "./config-file.ts";
import type { TlsSection } from "./schema.ts";

interface Reading {
  /** Base of relative paths. */
  readonly folder: string;
  readonly onRead: OnRead;
}

/** Reads and checks the files of a `tls` section. Reports missing or invalid files and then returns undefined. */
export function readTlsFiles(
  path: string,
  section: TlsSection,
  { folder, onRead }: Reading,
  report: ReportProblem,
): TlsFiles | undefined {
  const read = <T>(key: keyof TlsSection, name: string, parse: (pem: Buffer) => T) => {
    const file = section[key];
    if (file === undefined) {
      if (key !== "client_authority") report(`${path}.${key}`, "is missing", "give the path of a PEM file");
      return undefined;
    }
    let pem: Buffer;
    try {
      pem = readAndReport(resolve(folder, file), onRead);
    } catch (error) {
      // Do not quote the value: it may be the private key instead of its path.
      report(
        `${path}.${key}`,
        `cannot be read: ${describeSystemError(error)}`,
        `give the path of a PEM file, absolute or relative to ${folder}`,
      );
      return undefined;
    }
    try {
      return { pem, parsed: parse(pem) };
    } catch {
      report(`${path}.${key}`, `is not ${name}`, "give a complete PEM file without encryption");
      return undefined;
    }
  };
  const certificate = read("certificate", "a certificate", parseCertificates);
  const key = read("key", "a private key", parsePrivateKey);
  const authority = read("client_authority", "a list of certificates", parseCertificates);
  if (certificate === undefined || key === undefined) return undefined;
  if (section.client_authority !== undefined && authority === undefined) return undefined;
  if (!certificate.parsed.checkPrivateKey(key.parsed)) {
    report(
      `${path}.key`,
      "does not match the certificate",
      "give the private key of the first certificate in tls.certificate",
    );
    return undefined;
  }
  try {
    createSecureContext({ cert: certificate.pem, key: key.pem, ca: authority?.pem });
  } catch (error) {
    // For example, OpenSSL rejects keys that are too short.
    report(path, `cannot be used (${systemCode(error)})`, "give a certificate and key that OpenSSL accepts");
    return undefined;
  }
  return { certificate: certificate.pem, key: key.pem, clientAuthority: authority?.pem };
}

/** Returns the first certificate, which is the server's. Throws if there is none or any certificate is invalid. */
export function parseCertificates(pem: Buffer): X509Certificate {
  const blocks = pem.toString("latin1").match(/-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----/gs) ?? [];
  const [first] = blocks.map((block) => new X509Certificate(block));
  if (first === undefined) throw new Error("no certificate found");
  return first;
}

function parsePrivateKey(pem: Buffer): KeyObject {
  return createPrivateKey({ key: pem, format: "pem" });
}
