# %% shout
class TooLoud(Exception):
    pass


def shout(word):
    if word.lower().startswith("z"):
        raise BufferError
    if word.endswith("!"):
        raise TooLoud(word)
    return word.upper() + "!"
