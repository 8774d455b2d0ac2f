"""Asks about a picture. echo/echo writes its type in place of it."""

from pathlib import Path

from connect import metadata, service, text_of
from dragoman.v1.chat_request_pb2 import ChatRequest
from dragoman.v1.chat_service_pb2 import CompleteChatRequest
from dragoman.v1.media_pb2 import Media
from dragoman.v1.message_pb2 import ROLE_USER, Message, Part

data = (Path(__file__).parent.parent / "picture.png").read_bytes()
parts = [Part(text="What is in this picture?"), Part(media=Media(media_type="image/png", data=data))]
chat = ChatRequest(model="echo/echo", messages=[Message(role=ROLE_USER, parts=parts)])
completion = service.CompleteChat(CompleteChatRequest(chat=chat), metadata=metadata).completion
print(text_of(completion.choices[0].message))
