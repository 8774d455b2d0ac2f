"""Writes costs.json: 200 usages with their costs, computed in exact fractions, independently of src/prices.

    python3 test/prices/golden/generate.py

It reads the published prices as JSON and knows nothing of Dragoman's code: which rows have a name, how tiers, kinds of
tokens, dates and service tiers apply, and how a total is rounded, is written here once more. Prices are decimals as the
file has them, amounts are fractions, and a total is rounded once, half up, to nanodollars. Run it after a change of
table.json or service-tiers.json.
"""

import json
import random
import re
from datetime import datetime, timezone
from decimal import Decimal
from fractions import Fraction
from itertools import zip_longest
from pathlib import Path

here = Path(__file__).parent
prices_folder = here.parents[2] / "src" / "prices"


def read(name):
    return json.loads((prices_folder / name).read_text(), parse_float=Decimal, parse_int=Decimal)


table = read("table.json")["providers"]
service_tiers = read("service-tiers.json")["providers"]
# Models that have a row of Dragoman's own, which is not part of these files.
own_rows = (prices_folder / "own-rows.ts").read_text()
own = set(re.findall(r'^ {6}"?([\w./-]+)"?:', own_rows, re.M))
for names in re.findall(r"\.\.\.unknown\((.*?)\)", own_rows):
    beginning, *ends = re.findall(r'"(.*?)"', names)
    own.update(beginning + end for end in ends)

# Dragoman's providers, by the provider of the table.
providers = {
    "openai": "openai",
    "azure": "azure-openai",
    "anthropic": "anthropic",
    "google": "gemini",
    "aws": "bedrock",
    "mistral": "mistral",
    "cohere": "cohere",
    "groq": "groq",
    "x-ai": "xai",
    "deepseek": "deepseek",
    "moonshotai": "moonshot",
    "cerebras": "cerebras",
    "together": "together",
    "fireworks": "fireworks",
    "perplexity": "perplexity",
}


def equal_names(match):
    """Names that a row lists whole."""
    if "equals" in match:
        return [match["equals"]]
    return [name for part in match.get("or", []) for name in equal_names(part)]


def may_match(match, name):
    """Whether a row could have a name, read as loosely as possible."""
    if "equals" in match:
        return match["equals"].lower() == name
    if "regex" in match:
        return re.search(match["regex"], name) is not None
    for key in ("starts_with", "ends_with", "contains"):
        if key in match:
            return match[key].lower() in name
    return any(may_match(part, name) for part in match.get("or", match.get("and", [])))


def rows():
    """(provider, name, prices) of each name that a row lists whole, if no row before it can have the name."""
    for source, provider in providers.items():
        for index, row in enumerate(table[source]):
            for name in equal_names(row["match"]):
                if name != name.lower() or name in own:
                    continue
                if not any(may_match(other["match"], name) for other in table[source][:index]):
                    yield provider, name, row["prices"]


def prices_at(prices, at):
    if isinstance(prices, dict):
        return prices
    applies = [one for one in prices if "constraint" not in one or holds(one["constraint"], at)]
    return applies[-1]["prices"]


def holds(constraint, at):
    if constraint["type"] == "start_date":
        return at.date().isoformat() >= constraint["start_date"]
    now, start, end = at.strftime("%H:%M:%SZ"), constraint["start_time"], constraint["end_time"]
    return start <= now < end if start <= end else now >= start or now < end


def price_of(prices, kind, prompt):
    """Dollars per million tokens. A tier applies to prompts above its start."""
    price = prices.get(kind)
    if not isinstance(price, dict):
        return price
    above = [tier["price"] for tier in sorted(price["tiers"], key=lambda tier: tier["start"]) if prompt > tier["start"]]
    return above[-1] if above else price["base"]


def cost(prices, fees, used):
    """Costs by part, in dollars."""
    prompt = sum(used.get(kind, 0) for kind in ("text", "cached", "written", "written1h", "audio", "image"))

    def dollars(count, *kinds):
        price = next(found for found in (price_of(prices, kind, prompt) for kind in kinds) if found is not None)
        return Fraction(used.get(count, 0)) * Fraction(price) / 1_000_000

    parts = {
        "inputNanos": dollars("text", "input_mtok")
        + dollars("audio", "input_audio_mtok", "input_mtok")
        + dollars("image", "input_image_mtok", "input_mtok"),
        "cachedInputNanos": dollars("cached", "cache_read_mtok", "input_mtok"),
        "cacheWriteNanos": dollars("written", "cache_write_mtok", "input_mtok")
        + dollars("written1h", "cache_write_1h_mtok", "cache_write_mtok", "input_mtok"),
        "outputNanos": dollars("answer", "output_mtok")
        + dollars("reasoning", "output_reasoning_mtok", "output_mtok")
        + dollars("spoken", "output_audio_mtok", "output_mtok")
        + dollars("drawn", "output_image_mtok", "output_mtok"),
        "otherNanos": Fraction(fees.get("requests_kcount", 0)) / 1000
        + Fraction(used.get("searches", 0)) * Fraction(fees.get("web_searches_kcount", 0)) / 1000,
    }
    return parts | {"totalNanos": sum(parts.values())}


def nanos(dollars):
    doubled = 2 * dollars * 10**9 + 1
    return str(doubled.numerator // (2 * doubled.denominator))


def usage_of(used):
    """The usage that Dragoman has: totals, and the parts of them."""
    parts = {
        "cachedInputTokens": used.get("cached"),
        "cacheWriteInputTokens": used.get("written", 0) + used.get("written1h", 0) or None,
        "cacheWrite1hInputTokens": used.get("written1h"),
        "audioInputTokens": used.get("audio"),
        "imageInputTokens": used.get("image"),
        "reasoningTokens": used.get("reasoning"),
        "audioOutputTokens": used.get("spoken"),
        "imageOutputTokens": used.get("drawn"),
    }
    prompt = sum(used.get(kind, 0) for kind in ("text", "cached", "written", "written1h", "audio", "image"))
    response = sum(used.get(kind, 0) for kind in ("answer", "reasoning", "spoken", "drawn"))
    searches = {"web_search_requests": used["searches"]} if "searches" in used else {}
    return {
        "inputTokens": prompt,
        "outputTokens": response,
        **{name: count for name, count in parts.items() if count is not None},
        **({"serverToolRequests": searches} if searches else {}),
    }


noon = datetime(2026, 11, 29, 12, 0, 0, tzinfo=timezone.utc)
picked = random.Random(13)
all_rows = sorted(rows(), key=lambda row: row[:2])
cases = []


def add(about, provider, name, prices, used, at=noon, tier=""):
    applied = prices_at(prices, at)
    charged = service_tiers[provider][name]["tiers"][tier] if tier else applied
    # A price with more decimals than a picodollar per token has is rounded when it is read.
    if any(-value.as_tuple().exponent > 6 for value in values(charged)):
        return False
    costs = cost(charged, applied, used)
    cases.append(
        {
            "about": about,
            "model": f"{provider}/{name}",
            "at": at.isoformat().replace("+00:00", "Z"),
            "serviceTier": tier,
            "usage": usage_of(used),
            "cost": {part: nanos(costs[part]) for part in sorted(costs)},
        }
    )
    return True


def values(prices):
    for price in prices.values():
        if isinstance(price, dict):
            yield price["base"]
            yield from (tier["price"] for tier in price["tiers"])
        else:
            yield price


def some(count, having=lambda prices: True):
    """Rows with certain prices, at random: one of each provider in turn."""
    by_provider = {}
    for row in picked.sample(all_rows, len(all_rows)):
        if having(prices_at(row[2], noon)):
            by_provider.setdefault(row[0], []).append(row)
    turns = zip_longest(*by_provider.values())
    return [row for turn in turns for row in turn if row is not None][:count]


def tokens():
    return picked.choice([1, 7, 333, 4_096, 65_537]) + picked.randrange(0, 9_999)


def has(*kinds):
    return lambda prices: all(kind in prices for kind in kinds)


for row in some(30):
    add("text", *row, {"text": tokens(), "answer": tokens()})
for row in some(20, has("cache_read_mtok")):
    add("cached input", *row, {"text": tokens(), "cached": tokens(), "answer": tokens()})
for row in some(15, has("cache_write_mtok")):
    add("cache write", *row, {"text": tokens(), "cached": tokens(), "written": tokens(), "answer": tokens()})
for row in some(20, has("cache_write_1h_mtok")):
    add("cache writes of both lifetimes", *row, {"text": tokens(), "written": tokens(), "written1h": tokens(), "answer": tokens()})
for row in some(12, has("input_audio_mtok")):
    add("audio input", *row, {"text": tokens(), "audio": tokens(), "answer": tokens()})
for row in some(6, has("output_audio_mtok")):
    add("audio output", *row, {"text": tokens(), "audio": tokens(), "answer": tokens(), "spoken": tokens()})
for row in some(8, lambda prices: "input_image_mtok" in prices or "output_image_mtok" in prices):
    add("images", *row, {"text": tokens(), "image": tokens(), "answer": tokens(), "drawn": tokens()})
for row in some(10):
    add("reasoning", *row, {"text": tokens(), "answer": tokens(), "reasoning": tokens()})
for row in some(4, has("output_reasoning_mtok")):
    add("reasoning with a price of its own", *row, {"text": tokens(), "answer": tokens(), "reasoning": tokens()})
for row in some(12, has("web_searches_kcount")):
    add("web searches", *row, {"text": tokens(), "answer": tokens(), "searches": picked.randrange(1, 9)})
for row in some(4, has("requests_kcount")):
    add("fee of a request", *row, {"text": tokens(), "answer": tokens()})

is_tiered = lambda prices: isinstance(prices["input_mtok"], dict)
for provider, name, prices in some(9, is_tiered):
    start = int(prices_at(prices, noon)["input_mtok"]["tiers"][0]["start"])
    for prompt in (start, start + 1):
        cached = picked.randrange(0, start)
        add(f"prompt of {prompt}", provider, name, prices, {"text": prompt - cached, "cached": cached, "answer": tokens()})
for provider, names in service_tiers.items():
    known = [row for row in all_rows if row[0] == provider and row[1] in names]
    picked.shuffle(known)
    for row in known[:5]:
        for tier in names[row[1]]["tiers"]:
            usual = prices_at(row[2], noon)
            bases = [price_of(usual, kind, 0) for kind in ("input_mtok", "output_mtok")]
            if bases == names[row[1]]["usual"]:
                add("service tier", *row, {"text": tokens(), "cached": tokens(), "answer": tokens()}, tier=tier)
for provider, name, prices in [row for row in all_rows if isinstance(row[2], list)][:6]:
    for at in (noon, datetime(2027, 1, 1, 0, 0, 0, tzinfo=timezone.utc), datetime(2026, 11, 29, 1, 30, 0, tzinfo=timezone.utc)):
        add("price of a day or an hour", provider, name, prices, {"text": tokens(), "answer": tokens()}, at=at)
for provider, name, prices in some(1000, lambda prices: not is_tiered(prices)):
    # Half a nanodollar is 500 picodollars.
    rate = prices_at(prices, noon)["input_mtok"] * 10**6
    half = next((count for count in range(1, 2000) if count * rate % 1000 == 500), None)
    if half and sum(case["about"] == "half a nanodollar" for case in cases) < 5:
        add("half a nanodollar", provider, name, prices, {"text": half, "answer": 0})
for row in some(3):
    add("nothing", *row, {"text": 0, "answer": 0})
for row in some(3):
    add("greatest counts", *row, {"text": 2**31 - 1, "answer": 2**31 - 1})
for row in some(1000, has("cache_read_mtok")):
    if len(cases) < 199:
        add("reasoning and cached input", *row, {"text": tokens(), "cached": tokens(), "answer": tokens(), "reasoning": tokens()})
row = some(1, has("cache_read_mtok", "cache_write_mtok", "cache_write_1h_mtok", "web_searches_kcount"))[0]
add("all kinds", *row, {kind: tokens() for kind in ("text", "cached", "written", "written1h", "audio", "image", "answer", "reasoning", "searches")})

lines = ",\n".join(json.dumps(case) for case in cases)
(here / "costs.json").write_text(f"[\n{lines}\n]\n")
print(f"{len(cases)} costs of {len({case['model'] for case in cases})} models")
