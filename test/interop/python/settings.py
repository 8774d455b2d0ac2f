"""A client with the documented service config. Usage: settings.py HOST:PORT[,HOST:PORT...] CALLS.

Makes unary calls and then one stream. Prints the status codes, and the number of messages of the stream, as JSON.
"""

import json
import sys

import grpc

from dragoman.v1.chat_request_pb2 import ChatRequest
from dragoman.v1.chat_service_pb2 import CompleteChatRequest, StreamChatRequest
from dragoman.v1.chat_service_pb2_grpc import ChatServiceStub
from dragoman.v1.message_pb2 import ROLE_USER, Message, Part

addresses, calls = sys.argv[1], int(sys.argv[2])
with open("clients/service-config.json", encoding="utf-8") as file:
    config = file.read()
options = [
    ("grpc.service_config", config),
    ("grpc.keepalive_time_ms", 60000),
    ("grpc.keepalive_timeout_ms", 20000),
]
chat = ChatRequest(model="openai/gpt-4o", messages=[Message(role=ROLE_USER, parts=[Part(text="hello")])])


def complete(stub):
    try:
        stub.CompleteChat(CompleteChatRequest(chat=chat), timeout=30)
    except grpc.RpcError as error:
        return error.code().value[0]
    return 0


def stream(stub):
    messages = 0
    try:
        for _ in stub.StreamChat(StreamChatRequest(chat=chat), timeout=30):
            messages += 1
    except grpc.RpcError as error:
        return {"code": error.code().value[0], "messages": messages}
    return {"code": 0, "messages": messages}


with grpc.insecure_channel(f"ipv4:{addresses}", options) as channel:
    stub = ChatServiceStub(channel)
    print(json.dumps({"unary": [complete(stub) for _ in range(calls)], "stream": stream(stub)}))
