"""Records the HTTP responses of the clients, and compares them with the types that OpenAI and Anthropic publish."""

import importlib
import json
from dataclasses import dataclass, field

import httpx2
from pydantic import BaseModel, TypeAdapter, ValidationError


@dataclass
class Exchange:
    """A request to Dragoman, and the part of its response that the client read."""

    request: httpx2.Request
    response: httpx2.Response
    body: bytearray = field(default_factory=bytearray)

    @property
    def is_stream(self):
        return self.response.headers["content-type"].startswith("text/event-stream")


exchanges: list[Exchange] = []


class SyncTee(httpx2.SyncByteStream):
    def __init__(self, stream, body):
        self.stream, self.body = stream, body

    def __iter__(self):
        for chunk in self.stream:
            self.body += chunk
            yield chunk

    def close(self):
        self.stream.close()


class AsyncTee(httpx2.AsyncByteStream):
    def __init__(self, stream, body):
        self.stream, self.body = stream, body

    async def __aiter__(self):
        async for chunk in self.stream:
            self.body += chunk
            yield chunk

    async def aclose(self):
        await self.stream.aclose()


def record():
    """Records the exchanges of every client of this process: all of them use httpx2's transports."""
    handle, handle_async = httpx2.HTTPTransport.handle_request, httpx2.AsyncHTTPTransport.handle_async_request

    def tee(request, response, kind):
        exchange = Exchange(request, response)
        exchanges.append(exchange)
        response.stream = kind(response.stream, exchange.body)
        return response

    def handle_request(self, request):
        return tee(request, handle(self, request), SyncTee)

    async def handle_async_request(self, request):
        return tee(request, await handle_async(self, request), AsyncTee)

    httpx2.HTTPTransport.handle_request = handle_request
    httpx2.AsyncHTTPTransport.handle_async_request = handle_async_request


# Path -> types of the whole response, of an event of a stream, and of an error, as "module:name".
TYPES = {
    "/v1/chat/completions": ("openai.types.chat:ChatCompletion", "openai.types.chat:ChatCompletionChunk"),
    "/v1/responses": ("openai.types.responses:Response", "openai.types.responses:ResponseStreamEvent"),

    "/v1/responses/input_tokens": ("openai.types.responses:InputTokenCountResponse", None),
    "/v1/embeddings": ("openai.types:CreateEmbeddingResponse", None),
    "/v1/messages": ("anthropic.types:Message", "anthropic.types:RawMessageStreamEvent"),
    "/v1/messages?beta=true": ("anthropic.types.beta:BetaMessage", "anthropic.types.beta:BetaRawMessageStreamEvent"),
    "/v1/messages/count_tokens": ("anthropic.types:MessageTokensCount", None),
    "/v1/messages/count_tokens?beta=true": ("anthropic.types.beta:BetaMessageTokensCount", None),
}
# Whether the client is Anthropic's -> type of a model.
MODEL = {False: "openai.types:Model", True: "anthropic.types:ModelInfo"}
OPENAI_ERROR = "openai.types.shared:ErrorObject"
ANTHROPIC_ERROR = "anthropic.types:ErrorResponse"
ANTHROPIC_DETAILS = "anthropic.types.shared:ErrorDetails"

# Fields of Dragoman beside those of the vendors, which docs/http-apis.md and docs/messages.md describe.
OWN_FIELDS = {"provider_metadata", "reasoning_content", "estimated_cost"}
adapters: dict[str, TypeAdapter] = {}


def adapter_of(name):
    if name not in adapters:
        module, member = name.split(":")
        adapters[name] = TypeAdapter(getattr(importlib.import_module(module), member))
    return adapters[name]


def differences(value, name):
    """Returns a line for each field of a JSON value that its published type lacks or rejects."""
    try:
        parsed = adapter_of(name).validate_json(json.dumps(value), strict=True)
    except ValidationError as error:
        return [f"{name_of(value, name)}: {place(loc)}: {text}" for loc, text in problems(error)]
    paths = [path for path in unknown(parsed, ()) if not is_expected(value, path)]
    return [f"{name_of(value, name)}: {place(path)} is unknown" for path in paths]


def is_expected(value, path):
    """Whether a field that the types lack is documented."""
    name = path[-1]
    if name == "store":
        # In the examples of OpenAI's documents.
        return path[-2:-1] == ("response",) or value.get("object") == "response"
    if name == "name":
        # Required by earlier versions of OpenAI's client.
        return value.get("type") == "response.function_call_arguments.done"
    return name in OWN_FIELDS


def name_of(value, name):
    """Returns the type of an event, or the name of the published type."""
    return value.get("type", name.split(":")[1])


def problems(error):
    """Returns the problems of a value, without those of the members of a union that are for another `type`."""
    entries = [(entry["loc"], entry["msg"]) for entry in error.errors()]
    others = {loc[:-1] for loc, _ in entries if len(loc) > 1 and loc[-1] == "type"}
    own = [(loc, text) for loc, text in entries if not any(loc[: len(other)] == other for other in others)]
    return own or [(("type",), "no published type has it")]


def unknown(value, path):
    """Yields the path of each field that no published type has. OpenAI's and Anthropic's models keep such fields."""
    if isinstance(value, BaseModel):
        for name in value.model_extra or ():
            yield (*path, name)
        for name in type(value).model_fields:
            yield from unknown(getattr(value, name), (*path, name))
    elif isinstance(value, list):
        for index, entry in enumerate(value):
            yield from unknown(entry, (*path, index))
    elif isinstance(value, dict):
        for name, entry in value.items():
            yield from unknown(entry, (*path, name))


def place(path):
    return ".".join(str(part) for part in path)


def events(text):
    """Yields the event name and the data of each complete event of a stream."""
    for block in text.split("\n\n")[:-1]:
        lines = [line.partition(": ") for line in block.split("\n")]
        fields = {name: value for name, _, value in lines if name}
        if "data" in fields:
            yield fields.get("event"), fields["data"]


def check(exchange):
    """Returns the differences between what a client received and the published types."""
    path = exchange.request.url.raw_path.decode()
    if exchange.request.url.path == "/v1/models":
        model_type = MODEL[exchange.request.headers.get("anthropic-version") is not None]
        return [line for model in json.loads(exchange.body)["data"] for line in differences(model, model_type)]
    whole, event = TYPES[path]
    is_anthropic = path.startswith("/v1/messages")
    text = exchange.body.decode()
    if exchange.is_stream:
        values = [(json.loads(data), kind) for kind, data in events(text) if data != "[DONE]" and kind != "ping"]
    else:
        values = [(json.loads(text), None)]
    found = []
    for value, kind in values:
        if is_anthropic:
            is_error = value.get("type") == "error"
            # The type of an error response has the details only in its own classes of errors.
            details = value["error"].pop("details", None) if is_error else None
            if details is not None:
                found += differences(details, ANTHROPIC_DETAILS)
            found += differences(value, ANTHROPIC_ERROR if is_error else event if exchange.is_stream else whole)
            if exchange.is_stream and kind != value["type"]:
                found.append(f"the event {kind} has the type {value['type']}")
        elif value.keys() == {"error"}:
            found += differences(value["error"], OPENAI_ERROR)
        else:
            found += differences(decoded(value), event if exchange.is_stream else whole)
    return found


def decoded(value):
    """Replaces vectors in base64, which the client decodes, by numbers: the published type has only those."""
    if value.get("object") != "list":
        return value
    data = [{**entry, "embedding": [0.0]} if isinstance(entry["embedding"], str) else entry for entry in value["data"]]
    return {**value, "data": data}


def take():
    """Returns and forgets the exchanges so far."""
    taken = list(exchanges)
    exchanges.clear()
    return taken
