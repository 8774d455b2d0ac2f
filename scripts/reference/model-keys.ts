/** What each key of the configuration means that is about models: providers, models, routes, prices. */
export const modelKeys: Readonly<Record<string, string>> = {
  profile:
    "[Profile](../models.md) of calls for which neither the request nor the HTTP API, the deployment, the model or the route has one. Default: `plain`.",

  providers:
    "[Providers](../providers.md), by name. A known name needs no section if its variables are set. Any other name adds a provider with a `dialect`.",
  "providers.<name>.enabled": "Whether the provider is on. Default: if its variables are set.",
  "providers.<name>.dialect":
    "API of a provider that this section adds: the name of a known provider, or `chat-completions`.",
  "providers.<name>.base_url": "Base URL of the API. The variable overrides it. Default: the provider's public URL.",
  "providers.<name>.api_key": "API key. Overrides the variable.",
  "providers.<name>.keys": "Several API keys, instead of `api_key`. Default: none.",
  "providers.<name>.keys[].name": "Name of the key in records and errors.",
  "providers.<name>.keys[].value": "The API key.",
  "providers.<name>.keys[].weight": "Share of the calls.",
  "providers.<name>.headers": "Headers of each request.",
  "providers.<name>.timeouts": "Timeouts of each request; 0: none.",
  "providers.<name>.timeouts.connect": "Time to connect.",
  "providers.<name>.timeouts.first_event": "Time until the first output of the response.",
  "providers.<name>.timeouts.idle": "Time between two outputs. Keep-alives and empty events do not count.",
  "providers.<name>.proxy": "HTTP proxy, or `none`. Default: the variables `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY`.",
  "providers.<name>.max_connections": "Maximum number of requests at the same time. Further ones wait.",
  "providers.<name>.http2": "`on`: requests share connections with HTTP/2, if the server supports it.",
  "providers.<name>.trace_context": "`on`: requests carry `traceparent` and `tracestate`.",
  "providers.<name>.list_models":
    "`on`: lists of models have those that the server lists. Default: `on` for servers that you run, else `off`.",
  "providers.<name>.options": "Options of this provider: the tables below.",

  models:
    "Changes to models of the catalog, field by field, and new models, by id. An omitted key leaves the value as it is, or unknown.",
  "models.<id>.provider": "Name of the provider. Required for a new model.",
  "models.<id>.provider_model": "Name of the model at the provider. Default: the id.",
  "models.<id>.aliases": "Further names.",
  "models.<id>.display_name": "Name for people.",
  "models.<id>.profile": "Profile of calls by this id or an alias. Default: `profile`.",
  "models.<id>.context_window": "Maximum tokens of prompt and response together.",
  "models.<id>.max_output_tokens": "Maximum tokens of a response.",
  "models.<id>.max_temperature": "Maximum temperature.",
  "models.<id>.family": "API family, for limits and defaults. Default: that of the provider.",
  "models.<id>.template_family": "Format of prompts that Dragoman renders.",
  "models.<id>.capabilities":
    "What the model supports, by the field names of [ModelCapabilities](contract.md#modelcapabilities). For a new model, those that are not set are off, except `system_messages`.",
  "models.<id>.reasoning_efforts": "All efforts of the model, instead of those of its family.",
  "models.<id>.supported_parameters":
    "Fields of requests that the model supports, whatever the rules of its family say.",
  "models.<id>.unsupported_parameters":
    "Fields of requests that it does not support, whatever the rules of its family say.",
  "models.<id>.parameters": "Allowed keys of `deployment_parameters`.",
  "models.<id>.parameters[].name": "The key.",
  "models.<id>.parameters[].type": "Type of the value.",
  "models.<id>.parameters[].description": "What it is, for people. Default: none.",
  "models.<id>.parameters[].required": "Whether requests must have it.",

  deployments:
    "Models with the name `deployments/<id>`. They also have the keys of `models.<id>` from `display_name` on; the default `profile` is `egp-deployment`.",
  "deployments.<id>.model": "Name of the model.",
  "deployments.<id>.account": "Owner. Other accounts do not see the deployment. Default: no owner.",
  "deployments.<id>.completion_only": "Whether Dragoman sends only the last message.",

  routes: "Names that callers request as a model, and the targets that serve them ([routing](../routing.md)).",
  "routes.<id>.tiers": "The first tier with a usable target serves the call. Required.",
  "routes.<id>.tiers[].targets": "Targets. Required.",
  "routes.<id>.tiers[].targets[].model": "Name of a model.",
  "routes.<id>.tiers[].targets[].weight": "Share of the calls; 0: none.",
  "routes.<id>.tiers[].balance":
    "How a target is selected: at random by weight, the soonest first output, the lowest price, or the first usable one.",
  "routes.<id>.affinity": "`auto`: a conversation stays at the target that has its prompt in its cache.",
  "routes.<id>.attempts": "Attempts of one call.",
  "routes.<id>.attempts.max": "Maximum number of attempts.",
  "routes.<id>.attempts.per_target": "Maximum number at one target. Default: 2, at most `max`.",
  "routes.<id>.retry": "Retries at the same target.",
  "routes.<id>.retry.backoff": "Bounds of the random wait before a retry.",
  "routes.<id>.retry.backoff.initial": "Bound of the first wait. Default: 100ms, at most `max`.",
  "routes.<id>.retry.backoff.max": "Bound of all waits.",
  "routes.<id>.retry.retry_after_up_to": "Longest wait that a provider may request. Beyond it, the call moves on.",
  "routes.<id>.retry.budget": "Share of the attempts of a target that may be retries.",
  "routes.<id>.timeouts": "Timeouts beside those of the provider; 0: none.",
  "routes.<id>.timeouts.first_output": "Time until the first output.",
  "routes.<id>.timeouts.idle": "Time between two outputs.",
  "routes.<id>.timeouts.attempt": "Time of an attempt, until the first output has been sent to the caller.",
  "routes.<id>.hedge": "A second request if the first one is slow. Default: none.",
  "routes.<id>.hedge.after": "Time without output after which it is sent. `p95`: that of the target.",
  "routes.<id>.hedge.budget": "Share of calls that may have one.",
  "routes.<id>.require": "Capabilities that a target needs, by the names under `models.<id>.capabilities`.",
  "routes.<id>.profile": "Profile of calls by this name. Default: `profile`.",

  breaker: "When Dragoman stops sending calls to a failing target, and when it tries the target again.",
  "breaker.window": "Time over which failures are counted.",
  "breaker.min_calls": "Number of calls in the window from which `failure_ratio` counts.",
  "breaker.failure_ratio": "Share of failed calls in the window that opens a target.",
  "breaker.consecutive": "Number of failures in a row that opens a target.",
  "breaker.open":
    "First time for which a target is open. It grows by as much each time in a row. Default: 5s, at most `open_max`.",
  "breaker.open_max": "Longest time for which a target is open, before one call tests it.",
  "breaker.ramp": "Time in which a target that works again gets its full weight back, from a tenth of it.",
  "breaker.max_open_share": "Share of the targets of a route's last tier that may be open at once. One always may.",

  prices:
    "Prices that replace those of Dragoman's table, by an id or alias of a model, `deployments/<id>` or `provider/model`.",
  "prices.<id>.input": "Tokens of the prompt.",
  "prices.<id>.cached_input": "Tokens that the provider had in its cache. Default: `input`.",
  "prices.<id>.cache_write": "Tokens that it writes to its cache for five minutes. Default: `input`.",
  "prices.<id>.cache_write_1h": "The same, for an hour. Default: `cache_write`.",
  "prices.<id>.output": "Tokens of the response.",

  "openai.api":
    "API that serves chat requests. `auto`: Chat Completions, and Responses for models and requests that only it can serve.",
  "azure-openai.api": "API that serves chat requests, as `openai.api`.",
  "azure-openai.api_version":
    "API version. With a dated one, the URL contains the deployment. Default: none, for the v1 API.",
  "azure-openai.key_type":
    "Kind of `api_key`: a resource key, a Microsoft Entra ID token, or the secret of an Entra ID application.",
  "azure-openai.tenant_id": "Tenant of the Entra ID application. Required with `entra-secret`.",
  "azure-openai.client_id": "Client id of the Entra ID application. Required with `entra-secret`.",
  "azure-openai.authority": "Base URL of Entra ID's token endpoint.",
  "azure-openai.models":
    "OpenAI's model name for each deployment, so that Dragoman applies OpenAI's rules for that model.",
  "llm-engine.api": "`v2`: chat completions. `v1`: text completions of a prompt that Dragoman renders.",
  "llm-engine.auth": "How to send the API key: as a bearer token, or as the user name of basic authentication.",
  "llm-engine.template":
    "Format of prompts. `none`: the models support only text completion. Default: the model's `template_family`, else derived from the endpoint's name.",
  "llm-engine.cold_start_ms":
    "Timeout for the first event in ms, instead of `timeouts.first_event`, because an unused endpoint must start first; 0: none.",
  "vertex.project": "Google Cloud project to bill. Default: `GOOGLE_CLOUD_PROJECT`, else that of the credentials.",
  "vertex.location": "Default: `GOOGLE_CLOUD_LOCATION`, else `global`.",
  "vertex.key_file": "Path of a service account key file. Default: the application default credentials.",
  "bedrock.region": "AWS region of the endpoint. Default: `AWS_REGION`, else `AWS_DEFAULT_REGION`.",
  "local.context_size": "Context window (prompt and response) in tokens, at most that of the model's training.",
  "local.threads": "Number of compute threads. Default: the number of processors minus one.",
  "local.max_queue": "Maximum number of queued requests of a model, for chat and for embeddings apart.",
  "local.parallel": "Number of requests of a model in parallel, for chat and for embeddings apart.",
};
