import type { Option, Values } from "../command.ts";

export const usualAddress = "127.0.0.1:50051";

/** The options of every command that calls a running service. */
export const connectionOptions = {
  address: {
    type: "string",
    value: "<host:port>",
    help: `gRPC address of the service; default: the variable\nDRAGOMAN_ADDRESS, else ${usualAddress}`,
  },
  tls: { type: "boolean", help: "encrypt the connection, as the address https://host:port does" },
  ca: { type: "string", value: "<path>", help: "certificate authority of the service (PEM), with --tls" },
  cert: { type: "string", value: "<path>", help: "certificate of the client (PEM), if the service requires one" },
  "cert-key": { type: "string", value: "<path>", help: "private key of --cert (PEM)" },
  "key-file": {
    type: "string",
    value: "<path>",
    help: "file with the API key; default: the variable DRAGOMAN_API_KEY",
  },
  timeout: {
    type: "string",
    value: "<duration>",
    help: "deadline of each call, such as 30s or 2m; default: 30s, and none\nfor chat",
  },
} as const satisfies Readonly<Record<string, Option>>;

export type ConnectionValues = Values<typeof connectionOptions>;
