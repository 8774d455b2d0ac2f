"""Continues a conversation: the second request has all messages of the first one, and its response."""

from connect import metadata, service, text_of, user
from dragoman.v1.chat_request_pb2 import ChatRequest
from dragoman.v1.chat_service_pb2 import CompleteChatRequest

chat = ChatRequest(model="echo/echo", messages=[user("What is the capital of France?")])
answer = service.CompleteChat(CompleteChatRequest(chat=chat), metadata=metadata).completion.choices[0].message
print(text_of(answer))

chat.messages.extend([answer, user("And of Italy?")])
completion = service.CompleteChat(CompleteChatRequest(chat=chat), metadata=metadata).completion
print(text_of(completion.choices[0].message))
print(f"{completion.usage.input_tokens} input tokens")
