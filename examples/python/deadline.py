"""Waits at most one second for the whole call. Dragoman then aborts the request to the provider."""

import grpc

from connect import metadata, service, user
from dragoman.v1.chat_request_pb2 import ChatRequest
from dragoman.v1.chat_service_pb2 import CompleteChatRequest

chat = ChatRequest(model="echo/echo", messages=[user("hello")])
chat.provider_options["echo"].update({"stall": {}})  # A model that never responds.
try:
    service.CompleteChat(CompleteChatRequest(chat=chat), metadata=metadata, timeout=1)
except grpc.RpcError as error:
    print(error.code().name)
