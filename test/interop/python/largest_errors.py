"""The same as ../java/LargestErrors.java, with grpc-python's default settings."""

import base64
import json
import sys

import grpc


def main(address):
    channel = grpc.insecure_channel(address)
    complete_chat = channel.unary_unary("/dragoman.v1.ChatService/CompleteChat")
    for line in sys.stdin:
        try:
            complete_chat(base64.b64decode(line))
            print(json.dumps({"code": 0}), flush=True)
        except grpc.RpcError as error:
            trailers = dict(error.trailing_metadata() or ())
            details = trailers.get("grpc-status-details-bin", b"")
            result = {"code": error.code().value[0], "message": error.details(), "details": details}
            encoded = {name: text(value) for name, value in result.items()}
            print(json.dumps(encoded), flush=True)


def text(value):
    """Encodes texts and bytes in base64."""
    if isinstance(value, int):
        return value
    return base64.b64encode(value if isinstance(value, bytes) else value.encode()).decode()


main(sys.argv[1])
