import type { SecureContextOptions } from "node:tls";
import { ServerCredentials } from "@grpc/grpc-js";
import type { TlsFiles } from "../../config/config.ts";

/** TLS of the gRPC listener, whose certificates can be replaced: later connections get the new ones. */
export class TlsCredentials extends ServerCredentials {
  constructor(tls: TlsFiles) {
    const credentials = credentialsOf(tls);
    super(credentials._getConstructorOptions(), contextOf(tls));
  }

  replace(context: SecureContextOptions): void {
    this.updateSecureContextOptions(context);
  }

  override _equals(other: ServerCredentials): boolean {
    return other === this;
  }
}

/** Returns the certificates in the form of Node.js, with the ciphers that grpc-js selects. */
export function contextOf(tls: TlsFiles): SecureContextOptions {
  const credentials = credentialsOf(tls);
  const ciphers = credentials._getConstructorOptions()?.ciphers;
  return { ...credentials._getSecureContextOptions(), ...(ciphers !== undefined && { ciphers }) };
}

function credentialsOf({ certificate, key, clientAuthority }: TlsFiles): ServerCredentials {
  const pair = { private_key: key, cert_chain: certificate };
  return ServerCredentials.createSsl(clientAuthority ?? null, [pair], clientAuthority !== undefined);
}
