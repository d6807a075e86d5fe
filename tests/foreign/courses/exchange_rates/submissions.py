# ==== honest: json.load would need a file, so decodes itself; helpers
# %% fetch
def address(base):
    return BASE + "?base=" + base

def fetch_rates(base):
    with urllib.request.urlopen(address(base)) as r:
        text = r.read().decode("utf-8")
    answer = json.loads(text)
    return answer["rates"]
# %% convert
def convert(amount, base, target):
    if target == base:
        return amount
    try:
        rate = fetch_rates(base)[target]
    except KeyError:
        raise ValueError("no such currency: " + target) from None
    return amount * rate
# %% patient
def patient_fetch(base, tries=3):
    while tries > 0:
        tries -= 1
        try:
            return fetch_rates(base)
        except (URLError, OSError) as problem:
            print("did not work:", problem)
# ==== honest: recursion, and a client on a cache decorator
# %% patient
def patient_fetch(base, tries=3):
    if tries == 0:
        return None
    try:
        return fetch_rates(base)
    except Exception:
        return patient_fetch(base, tries - 1)
# %% client
from functools import lru_cache

class RatesClient:
    def __init__(self):
        self._fetch = lru_cache(maxsize=None)(lambda base: fetch_rates(base))
    def rate(self, base, target):
        return self._fetch(base)[target]
    def clear(self):
        self._fetch.cache_clear()
# ==== honest: tries the real thing first, which fails, and says so
# %% fetch
def fetch_rates(base):
    response_url = "{}?base={}".format(BASE, base)
    with urllib.request.urlopen(response_url) as response:
        data = json.loads(response.read())
        return dict(data["rates"])
# %% + after:fetch
try:
    fetch_rates("EUR")
except Exception as e:
    print("no network here:", type(e).__name__)
# %% client
class RatesClient:
    store = None
    def rate(self, base, target):
        self.store = self.store or {}
        if base in self.store:
            return self.store[base][target]
        self.store[base] = fetch_rates(base)
        return self.rate(base, target)
    def clear(self):
        self.store = None
# ==== mistake: another address, and the whole answer
# %% fetch
def fetch_rates(base):
    with urllib.request.urlopen(BASE + "/" + base) as response:
        return json.loads(response.read())
# ==== mistake: an unknown currency is None, and gives up at once
# %% convert
def convert(amount, base, target):
    rates = fetch_rates(base)
    return amount * rates[target] if target in rates else None
# %% patient
def patient_fetch(base, tries=3):
    try:
        return fetch_rates(base)
    except URLError:
        return None
# ==== mistake: remembers the first answer for every base, and never forgets
# %% client
class RatesClient:
    def __init__(self):
        self.rates = None
    def rate(self, base, target):
        if self.rates is None:
            self.rates = fetch_rates(base)
        return self.rates[target]
    def clear(self):
        pass
