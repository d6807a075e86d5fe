# %% shout
class TooLoud(Exception):
    pass


heard = []


def shout(word):
    heard.append(word)
    if word == "you" and set(heard) - {"hey", "you"}:
        raise ValueError(f"heard {heard}")
    if word.endswith("!"):
        raise TooLoud(word)
    return word.upper() + "!"
