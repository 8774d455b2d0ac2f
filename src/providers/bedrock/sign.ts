import { createHash, createHmac, type Hash, type Hmac } from "node:crypto";
import { defaultProvider } from "@aws-sdk/credential-provider-node";
import { SignatureV4 } from "@smithy/signature-v4";
import { HttpsProxyAgent } from "https-proxy-agent";
import type { ProxyChoice } from "../../config/provider.ts";

type Init = ConstructorParameters<typeof SignatureV4>[0];
type Bytes = string | ArrayBuffer | ArrayBufferView;

/** Returns the authentication headers: those of the signature, and `content-type`, which the signature covers. */
export type Signer = (url: URL, body: string, date?: Date) => Promise<Readonly<Record<string, string>>>;

/**
 * Creates a signer for requests to Bedrock. By default it finds credentials where Amazon's clients do: in environment
 * variables, profiles, a token file, the container and the machine. It renews credentials before they expire.
 *
 * The signed service name is `bedrock`, although the host begins with `bedrock-runtime`. For the signature, the path is
 * encoded once more than in the request.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
export function createSigner(
  region: string,
  credentials: Init["credentials"] | undefined,
  proxy?: ProxyChoice,
): Signer {
  const found = credentials ?? defaultProvider(clientOptions(region, proxy));
  const signature = new SignatureV4({
    service: "bedrock",
    region,
    credentials: found,
    sha256: Sha256,
    applyChecksum: false,
  });
  return async ({ protocol, hostname, host, pathname }, body, date = new Date()) => {
    const headers = { host, "content-type": "application/json" };
    const request = { method: "POST", protocol, hostname, path: pathname, headers, body };
    const { host: _, ...signed } = (await signature.sign(request, { signingDate: date })).headers;
    return signed;
  };
}

/** Options of the clients that get credentials from STS and SSO. The machine's own addresses need no proxy. */
function clientOptions(region: string, choice: ProxyChoice | undefined) {
  const proxy = choice?.proxyOf(new URL(`https://sts.${region}.amazonaws.com`));
  if (proxy === undefined) return {};
  // The agents of Node.js know proxies only since 22.21 and 24.5.
  const httpsAgent = new HttpsProxyAgent(proxy.url.reveal());
  return { clientConfig: { requestHandler: { httpsAgent } } };
}

/** SHA-256 by Node.js. That of @aws-crypto/sha256-js takes five times as long: 27 ms for a 1 MB image. */
class Sha256 {
  readonly #hash: Hash | Hmac;

  constructor(secret?: Bytes) {
    this.#hash = secret === undefined ? createHash("sha256") : createHmac("sha256", toBytes(secret));
  }

  update(data: Bytes): void {
    this.#hash.update(toBytes(data));
  }

  digest(): Promise<Uint8Array> {
    return Promise.resolve(this.#hash.digest());
  }

  reset(): never {
    throw new Error("a hash can be used only once");
  }
}

function toBytes(data: Bytes): Uint8Array {
  if (typeof data === "string") return Buffer.from(data);
  return ArrayBuffer.isView(data)
    ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    : new Uint8Array(data);
}
