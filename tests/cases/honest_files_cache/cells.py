# %% rooted
import json


def rooted(values):
    path = Path("cache.json")
    known = json.loads(path.read_text()) if path.exists() else {}
    for value in values:
        known.setdefault(str(float(value)), float(value) ** 0.5)
    path.write_text(json.dumps(known))
    return [known[str(float(value))] for value in values]

# %% + after:test_saved
print(sorted(path.name for path in Path(".").glob("*.json")), len(json.loads(Path("cache.json").read_text())))
