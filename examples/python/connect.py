"""The service of all examples, and short names for messages."""

import os

import grpc

from dragoman.v1.chat_service_pb2_grpc import ChatServiceStub
from dragoman.v1.message_pb2 import ROLE_USER, Message, Part

_address = os.environ.get("DRAGOMAN_ADDRESS", "127.0.0.1:50051")
_key = os.environ.get("DRAGOMAN_API_KEY")
_ca = os.environ.get("DRAGOMAN_CA")

# Most clients reject responses above 4 MiB. Responses with audio or images can be larger.
_options = [("grpc.max_receive_message_length", 64 << 20)]


def _channel():
    if _ca is None:
        return grpc.insecure_channel(_address, _options)
    with open(_ca, "rb") as file:
        return grpc.secure_channel(_address, grpc.ssl_channel_credentials(file.read()), _options)


channel = _channel()
service = ChatServiceStub(channel)
# The API key, which each call sends.
metadata = [("x-api-key", _key)] if _key else []


def user(text):
    return Message(role=ROLE_USER, parts=[Part(text=text)])


def text_of(message):
    """Returns the text of a message. It skips parts of other kinds, also of kinds that later versions add."""
    return "".join(part.text for part in message.parts)
