"""Plays the cases of a client family: prints `ready`, reads a case
from each line of its input, and prints its result as a line.
"""

import asyncio
import inspect
import json
import sys
from dataclasses import dataclass, field

import wire
from pydantic import BaseModel

CITY_SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}


class City(BaseModel):
    """A city."""

    city: str


class Place(BaseModel):
    """A city and its temperature."""

    city: str
    degrees: int


@dataclass
class Case:
    """A cell of the matrix."""

    id: str
    client: str
    name: str
    # Base URL of Dragoman's HTTP listener.
    url: str
    model: str
    prompt: str
    # Result of the tool for each city.
    results: dict[str, str] = field(default_factory=dict)
    # Further fields of the body of an embeddings request.
    body: dict = field(default_factory=dict)
    # Cities for which the client ran the tool.
    cities: list[str] = field(default_factory=list)

    @property
    def headers(self):
        return {"x-request-id": self.id}

    def weather(self, city):
        self.cities.append(city)
        return self.results[city]


def failure(error):
    """Returns the facts of a client's error, and of those that it wraps."""
    found = {"class": type(error).__name__, "message": str(error)}
    for name in ("status_code", "code", "param", "type", "request_id"):
        value = getattr(error, name, None)
        if isinstance(value, (int, str)):
            found[name] = value
    body = getattr(error, "body", None)
    if isinstance(body, dict):
        found["body"] = body
    cause = error.__cause__ or error.__context__
    if cause is not None:
        found["cause"] = failure(cause)
    return found


async def cancelled(call):
    """Runs a call until the test writes a line, which says that the provider has the request, and then cancels it."""
    task = asyncio.ensure_future(call)
    await asyncio.to_thread(sys.stdin.readline)
    task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        return {"cancelled": True}


async def play(case, run):
    try:
        result = run(case)
        if inspect.isawaitable(result):
            result = await result
    except Exception as error:
        result = {"error": failure(error)}
    exchanges = wire.take()
    # A case that should fail returns the response if it does not.
    return {
        **(result if isinstance(result, dict) else {}),
        "cities": case.cities,
        "differences": [line for exchange in exchanges for line in wire.check(exchange)],
    }


async def play_all(clients):
    # A thread waits for the next case, so that the event loop can close what a cancelled case left behind.
    while line := await asyncio.to_thread(sys.stdin.readline):
        case = Case(**json.loads(line))
        result = await play(case, clients[case.client][case.name])
        print(json.dumps(result), flush=True)


def main(clients):
    """Runs each case by `clients[case.client][case.name]`, a function or a coroutine function of the case."""
    wire.record()
    print("ready", flush=True)
    asyncio.run(play_all(clients))
