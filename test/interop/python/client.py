"""A client with the generated code of clients/python. Usage: client.py HOST:PORT.

Prints one line of JSON per scenario that clients/python leaves out.
"""

import json
import sys

import grpc
from google.protobuf.json_format import MessageToDict
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from dragoman.v1 import error_pb2
from dragoman.v1.chat_request_pb2 import ChatRequest
from dragoman.v1.chat_service_pb2 import CompleteChatRequest, StreamChatRequest
from dragoman.v1.chat_service_pb2_grpc import ChatServiceStub
from dragoman.v1.embedding_service_pb2 import EmbeddingInput, EmbedRequest
from dragoman.v1.embedding_service_pb2_grpc import EmbeddingServiceStub
from dragoman.v1.message_pb2 import ROLE_USER, Message, Part
from dragoman.v1.token_service_pb2 import CountTokensRequest
from dragoman.v1.token_service_pb2_grpc import TokenServiceStub

DETAILS = (
    error_details_pb2.ErrorInfo,
    error_details_pb2.BadRequest,
    error_details_pb2.RetryInfo,
    error_pb2.ProviderError,
)


def ask(text, script=None, **fields):
    message = Message(role=ROLE_USER, parts=[Part(text=text)])
    chat = ChatRequest(**{"model": "echo/echo", "messages": [message], **fields})
    if script is not None:
        chat.provider_options["echo"].update(script)
    return chat


def failure(error):
    """Returns the code, message and typed details of an error."""
    details = {}
    status = rpc_status.from_call(error)
    for packed in status.details if status else ():
        for kind in DETAILS:
            detail = kind()
            if packed.Unpack(detail):
                details[detail.DESCRIPTOR.full_name] = MessageToDict(detail)
    return {"code": error.code().value[0], "message": error.details(), "details": details}


def complete(stub, chat, **options):
    try:
        answer = stub.CompleteChat(CompleteChatRequest(chat=chat), **options).completion
    except grpc.RpcError as error:
        return failure(error)
    text = "".join(part.text for part in answer.choices[0].message.parts)
    return {"text": text[:80], "length": len(text), "output_tokens": answer.usage.output_tokens}


def stream(stub, chat, **options):
    result = {"events": [], "text": ""}
    try:
        for response in stub.StreamChat(StreamChatRequest(chat=chat), **options):
            result["events"].append(response.WhichOneof("event"))
            result["text"] += response.delta.text
    except grpc.RpcError as error:
        result.update(failure(error))
    return result


def embed(stub, request, **options):
    response = stub.Embed(request, **options)
    vectors = [list(embedding.values) for embedding in response.embeddings]
    return {"vectors": vectors, "input_tokens": response.usage.input_tokens}


def count(stub, chat, **options):
    return {"input_tokens": stub.CountTokens(CountTokensRequest(chat=chat), **options).input_tokens}


def main(address):
    channel = grpc.insecure_channel(address)
    stub = ChatServiceStub(channel)
    roomy = ChatServiceStub(grpc.insecure_channel(address, [("grpc.max_receive_message_length", 16 << 20)]))

    def tell(story, call, chat, through=stub, **options):
        result = call(through, chat, metadata=[("x-request-id", f"python-{story}")], **options)
        print(json.dumps({"story": story, **result}), flush=True)

    begun = {"deltas": ["so ", "far"]}
    limited = {"reason": "PROVIDER_RATE_LIMITED", "retry_after_ms": 1500, "http_status": 429}
    megabytes = {"text": "a b c d e", "large": 1 << 20}
    tell("deadline", stream, ask("", {**begun, "stall": {"after": 2}}), timeout=0.5)
    tell("limited", complete, ask("", {"fail": limited}))
    tell("interrupted", stream, ask("", {**begun, "fail": {**limited, "after": 2}}))
    tell("unknown", complete, ask("", model="modèle-日本-😀"))
    tell("compressed", complete, ask("squeeze me " * 10_000), compression=grpc.Compression.Gzip)
    tell("too_large", complete, ask("", megabytes))
    tell("large", complete, ask("", megabytes), through=roomy)
    inputs = [EmbeddingInput(text="one two"), EmbeddingInput(text="three")]
    vectors = EmbedRequest(model="echo/embed", inputs=inputs, dimensions=4)
    tell("embed", embed, vectors, through=EmbeddingServiceStub(channel))
    tell("count", count, ask("one two three", model="openai/gpt-4o"), through=TokenServiceStub(channel))


main(sys.argv[1])
