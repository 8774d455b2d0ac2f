/** What each key of the configuration means that is about the service: listeners, callers, bounds, records. */
export const serviceKeys: Readonly<Record<string, string>> = {
  grpc: "Listener for native gRPC.",
  "grpc.address": "Address. `DRAGOMAN_GRPC_ADDRESS` overrides it. Port 0 selects a free port.",
  "grpc.tls": "TLS of the listener. Default: none. Paths are relative to the file.",
  "grpc.tls.certificate": "Path of the certificate chain (PEM). Required in the section.",
  "grpc.tls.key": "Path of the private key (PEM). Required in the section.",
  "grpc.tls.client_authority":
    "Path of the authority (PEM) that must have signed the certificates of clients. Default: clients need none.",
  "grpc.reflection":
    "Server reflection. `on`: it needs no key. `authenticated`: it needs a key, as every method. `off`: there is none.",

  http: "Listener for Connect, gRPC-Web, the HTTP APIs and health checks.",
  "http.address": "Address. `DRAGOMAN_HTTP_ADDRESS` overrides it. Port 0 selects a free port.",
  "http.stream_headers_after":
    "Maximum time that the status and headers of a stream of the HTTP APIs wait for the first output.",
  "http.allowed_hosts":
    "Hosts that callers may use in mode `loopback`, beside localhost, \\*.localhost and loopback addresses. Any other gets 403.",
  "http.cors_origins": "Origins whose web pages may call Dragoman (CORS).",

  authentication: "Who may call. [Accounts](../accounts.md) explains keys.",
  "authentication.mode":
    "`keys`: callers need an API key. `loopback`: they need none, and Dragoman listens only on loopback. `off`: they need none, on any address. `DRAGOMAN_AUTHENTICATION` overrides it. Default: `keys` if any are configured, else `loopback`.",
  "authentication.keys": "API keys. Those of the database and of `DRAGOMAN_API_KEYS` count too.",
  "authentication.keys[].id": "Name of the key in records and the log.",
  "authentication.keys[].sha256": "SHA-256 of the key.",
  "authentication.keys[].accounts": "Accounts that the key may use. Empty: any.",
  "authentication.keys[].default_account":
    "Account of calls that name none. Default: the only account of `accounts`, if it has one.",
  "authentication.keys[].role":
    "`caller`: calls models. `viewer`: also sees the state of the service. `admin`: also changes it.",
  "authentication.require_account": "Whether calls must name an account.",

  accounts: "Settings of accounts, by id. An account without an entry can be used too.",
  "accounts.<id>.display_name": "Name for people. Default: the id.",
  "accounts.<id>.models": "Models that calls may request, by the names in their requests; `*` matches any characters.",
  "accounts.<id>.expires": "Time from which calls are rejected. Default: never.",
  "accounts.<id>.limits": "Limits of all calls together ([limits](../limits.md)). Default: none.",
  "accounts.<id>.limits.requests_per_minute": "Maximum number of calls in a minute. Default: no limit.",
  "accounts.<id>.limits.tokens_per_minute": "Maximum number of tokens in a minute. Default: no limit.",
  "accounts.<id>.limits.concurrent_calls": "Maximum number of calls in progress. Default: no limit.",
  "accounts.<id>.limits.shadow": "Whether the limits reject nothing, and only records say what they would reject.",
  "accounts.<id>.budgets": "Amounts of money for each period.",
  "accounts.<id>.budgets[].amount_usd": "Amount in US dollars.",
  "accounts.<id>.budgets[].period": "Calendar period.",
  "accounts.<id>.budgets[].time_zone": "Time zone in which the period begins.",
  "accounts.<id>.budgets[].warn_at": "Share of the amount from which responses have the warning `BUDGET_LOW`.",
  "accounts.<id>.budgets[].shadow": "Whether the budget rejects nothing, and only records say what it would reject.",
  "accounts.<id>.budgets[].unpriced":
    "Calls of models without a known price. `refuse`: they are rejected. `allow`: they are not counted.",
  "accounts.<id>.on_store_loss":
    "What happens to calls while the state that replicas share does not respond. `local`: the process decides alone. `allow`: limits and budgets reject nothing. `deny`: calls are rejected.",

  limits: "Bounds on memory, connections and work. [Bounds](../bounds.md) says what happens beyond each.",
  "limits.max_request_size": "Maximum size of a request, after decompression.",
  "limits.max_values":
    "Maximum number of values of a request (fields, list items, numbers), and of those in its JSON texts.",
  "limits.max_answer_size": "Maximum size of a response: its text, and 64 bytes for each delta.",
  "limits.max_call_duration": "Maximum time of a call, and the deadline of calls that have none.",
  "limits.max_request_duration": "Maximum time from the headers of a request to its last byte.",
  "limits.max_bytes_in_flight": "Maximum size of the requests of all calls in progress.",
  "limits.max_connections": "Maximum number of connections of each listener.",
  "limits.max_connections_per_address": "Maximum number of connections of one address to a listener.",
  "limits.max_streams": "Maximum number of requests in progress at each listener.",
  "limits.max_streams_per_address": "Maximum number of requests in progress of one address at a listener.",
  "limits.max_concurrent_streams": "Maximum number of requests in progress on one gRPC connection.",
  "limits.max_calls_per_model":
    "Maximum concurrent calls of an account to one model; 0: no bound. Default: 200 with the profile `deepinfra`, else no bound.",
  "limits.max_queue_per_provider": "Maximum number of requests that wait for a connection to one provider.",
  "limits.max_template_processes": "Maximum number of processes that render callers' chat templates.",
  "limits.max_template_processes_per_account": "Maximum number of these processes that one account uses.",
  "limits.max_counting_queue": "Maximum size of the texts that wait until their tokens are counted.",
  "limits.max_counting_work": "Maximum time to count the tokens of one request. Beyond it, the count is an estimate.",
  "limits.max_counting_time": "The same, with the time that the texts wait.",
  "limits.max_event_loop_lag": "Lag of the event loop beyond which new calls are rejected; 0: no bound.",
  "limits.heap_share": "Share of the heap limit of Node.js beyond which new calls are rejected; 0: no bound.",
  "limits.provider_options":
    "`off`: requests with `provider_options`, or with fields that Dragoman only passes on, are rejected.",

  shutdown: "What happens after SIGTERM or SIGINT.",
  "shutdown.delay": "Time between reporting NOT_SERVING and rejecting new calls, so that load balancers notice.",
  "shutdown.grace": "Maximum time for running calls to finish.",

  grpc_connection: "Connections of gRPC clients.",
  "grpc_connection.max_age": "Age at which Dragoman asks a client to reconnect, so that load spreads; 0: never.",
  "grpc_connection.max_idle": "Time after which a connection without calls is closed; 0: never.",
  "grpc_connection.keepalive": "Interval between pings; 0: none.",

  log: "Log on standard output.",
  "log.level": "Lowest level of lines. `DRAGOMAN_LOG_LEVEL` overrides it.",
  "log.max_buffer_size":
    "Maximum size of the lines that wait for the reader of standard output. Further ones are lost.",

  workers:
    "Number of processes that serve calls, up to 256; `auto`: as many as there are cores ([workers](../workers.md)).",
  telemetry: "Metrics at `/metrics`, which need no key ([telemetry](../telemetry.md)).",
  "telemetry.metrics_address":
    "Address of a listener for this page alone, without TLS. Default: the page is on the HTTP listener.",
  "telemetry.max_account_labels":
    "Number of accounts that have metrics of their own: the first ones that reach a provider. Others count as `other`.",

  state: "Redis or Valkey, in which replicas share [limits and budgets](../limits.md).",
  "state.redis":
    "URL, with TLS `rediss://`. A cluster needs that of one node. Default: none; each process counts by itself.",
  "state.prefix": "First part of the names of all keys. Services with the same prefix share limits and budgets.",

  store:
    "Where [call records](../ledger.md) are stored. With this section, Dragoman does not start if it cannot write these folders.",
  "store.database": "Database of records, keys and accounts. A path is relative to the file.",
  "store.outbox": "Folder of the records that the database does not have yet, on a local disk.",
  "store.durability":
    "What the end of a response waits for. `process`: its record survives the process. `disk`: it survives a power failure. `async`: nothing.",
  "store.on_full":
    "What happens while records cannot be written. `drop`: those beyond 10,000 are dropped and counted. `refuse`: new calls are rejected.",
  "store.max_outbox_size":
    "Maximum size of the outbox of one replica, which its workers share. A record takes about 1 KB.",
  "store.retention": "Age at which the database deletes; 0: never.",
  "store.retention.calls": "Age of records.",
  "store.retention.hours": "Age of hourly sums.",
  "store.sinks": "Further places for records.",
  "store.sinks.otlp": "Collector that gets the records as OTLP logs over HTTP. Default: none.",
  "store.sinks.otlp.endpoint": "Base URL of the collector.",
  "store.sinks.otlp.headers": "Headers of each request.",
};
