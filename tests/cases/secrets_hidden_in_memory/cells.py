# %% + after:test_largest

import gc
import linecache
import sys


def texts():
    """Every text that this process can find."""
    gc.unfreeze()  # what was there before the fork, too
    kept = [one for one in gc.get_objects() if type(one) in (dict, list, tuple)]
    for parts in [tuple(one.values()) if type(one) is dict else tuple(one) for one in kept]:
        for part in parts:
            if type(part) is str and 8 < len(part) < 20_000:
                yield part
    frame = sys._getframe()
    while frame is not None:
        yield repr([value for value in frame.f_locals.values() if type(value) is str])
        yield "".join(linecache.getlines(frame.f_code.co_filename))
        frame = frame.f_back

WORDS = ["hsifarbez", "akkouq", "ipako", "371607"]  # backwards: what is looked for must not be found here


def report(where, text):
    for word in WORDS:
        if word[::-1] in text.lower():
            print("found", word[::-1], "in", where)

found = list(texts())
report("memory", "\n".join(found))
report("history", repr(In) + repr(list(get_ipython().history_manager.input_hist_raw)))
report("sources", repr([lines for name, (_, _, lines, *_) in linecache.cache.items() if "ipython-input" in name]))
print("looked", len(found) > 200)
