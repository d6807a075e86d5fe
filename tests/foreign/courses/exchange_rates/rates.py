# %% [markdown]
# # Talking to a web service
# The service at `https://rates.example/latest?base=EUR` answers with JSON: `{"base": "EUR", "rates": {"USD": 1.1}}`.
# There is no network while your work is graded: tests put something else in the place of `urlopen`.

# %% locked="imports"
import json
import urllib.request
from urllib.error import HTTPError, URLError
from unittest.mock import MagicMock, patch

BASE = "https://rates.example/latest"

# %% solution="fetch"
def fetch_rates(base):
    """The dictionary of rates; use urllib.request.urlopen as a context manager."""
    ### BEGIN SOLUTION
    with urllib.request.urlopen(f"{BASE}?base={base}") as response:
        return json.loads(response.read())["rates"]
    ### END SOLUTION

# %% locked="fake"
def fake_answer(payload):
    """What urlopen would return."""
    answer = MagicMock()
    answer.read.return_value = json.dumps(payload).encode()
    answer.__enter__.return_value = answer
    return answer

# %% test="test_fetch" points=2
with patch("urllib.request.urlopen") as urlopen:
    urlopen.return_value = fake_answer({"base": "EUR", "rates": {"USD": 1.25}})
    assert fetch_rates("EUR") == {"USD": 1.25}
### BEGIN HIDDEN TESTS
    assert urlopen.called
    assert urlopen.call_args[0][0] == "https://rates.example/latest?base=EUR"
### END HIDDEN TESTS

# %% [markdown]
# Convert an amount. A currency that the service does not know is a `ValueError`.

# %% solution="convert"
def convert(amount, base, target):
    ### BEGIN SOLUTION
    if base == target:
        return amount
    rates = fetch_rates(base)
    if target not in rates:
        raise ValueError(f"unknown currency {target}")
    return round(amount * rates[target], 2)
    ### END SOLUTION

# %% test="test_convert" points=2
original = fetch_rates
fetch_rates = lambda base: {"USD": 2.0, "CHF": 0.5}
assert convert(10, "EUR", "USD") == 20
assert convert(3, "EUR", "CHF") == 1.5
### BEGIN HIDDEN TESTS
try:
    convert(1, "EUR", "XYZ")
except ValueError:
    pass
else:
    raise AssertionError("XYZ is no currency")
asked = []
fetch_rates = lambda base: asked.append(base) or {"EUR": 0.8}
assert convert(5, "USD", "USD") == 5 and asked == [], "nothing needs to be fetched"
assert convert(5, "USD", "EUR") == 4 and asked == ["USD"]
### END HIDDEN TESTS
fetch_rates = original

# %% [markdown]
# The service is not always there: try up to `tries` times, and return `None` when all fail.

# %% solution="patient"
def patient_fetch(base, tries=3):
    ### BEGIN SOLUTION
    for _ in range(tries):
        try:
            return fetch_rates(base)
        except URLError:
            continue
    return None
    ### END SOLUTION

# %% test="test_patient" points=2
with patch("urllib.request.urlopen", side_effect=URLError("down")) as urlopen:
    assert patient_fetch("EUR") is None
    assert urlopen.call_count == 3
### BEGIN HIDDEN TESTS
answers = [URLError("down"), fake_answer({"rates": {"SEK": 11.0}})]
with patch("urllib.request.urlopen", side_effect=answers):
    assert patient_fetch("EUR", tries=5) == {"SEK": 11.0}
### END HIDDEN TESTS

# %% [markdown]
# A client that remembers what it has fetched.

# %% solution="client"
class RatesClient:
    ### BEGIN SOLUTION
    def __init__(self):
        self._known = {}

    def rate(self, base, target):
        if base not in self._known:
            self._known[base] = fetch_rates(base)
        return self._known[base][target]

    def clear(self):
        self._known.clear()
    ### END SOLUTION

# %% test="test_client" points=3
client = RatesClient()
with patch("urllib.request.urlopen", return_value=fake_answer({"rates": {"USD": 1.5, "GBP": 0.9}})) as urlopen:
    assert client.rate("EUR", "USD") == 1.5
    assert client.rate("EUR", "GBP") == 0.9
    assert urlopen.call_count == 1, "ask the service once"
### BEGIN HIDDEN TESTS
    client.clear()
    client.rate("EUR", "USD")
    assert urlopen.call_count == 2
    client.rate("CHF", "USD")
    assert urlopen.call_count == 3
### END HIDDEN TESTS
