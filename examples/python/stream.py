"""Prints a response while it comes. A stream that ends without `completed` is incomplete and raises its status."""

from connect import metadata, service, user
from dragoman.v1.chat_request_pb2 import ChatRequest
from dragoman.v1.chat_service_pb2 import StreamChatRequest

chat = ChatRequest(model="echo/echo", messages=[user("What is the capital of France?")])
for response in service.StreamChat(StreamChatRequest(chat=chat), metadata=metadata):
    match response.WhichOneof("event"):
        case "delta":
            print(response.delta.text, end="", flush=True)
        case "completed":
            print(f"\n{response.completed.usage.output_tokens} output tokens")
