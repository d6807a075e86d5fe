# module: 10_tokenization
"""The sentences and tables that `dialogues.txt` is made of, and how they are put together.

Nothing here is needed to use the corpus, which `..corpus` loads. This file is its source: a test holds that
`dialogues()` still gives what is shipped.
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from itertools import combinations, pairwise

Dialogue = tuple[str, str]


def dialogues() -> list[str]:
    """All dialogues as "Q: ...\\nA: ...", each once, in an order without order: by the digest of the text.

    >>> dialogues()[0].startswith("Q: ")
    True
    """
    topics = (_talk(), _course(), _sums(), _calendar(), _letters(), _opposites(), _animals(), _things())
    texts = {f"Q: {question}\nA: {answer}" for topic in topics for question, answer in topic}
    return sorted(texts, key=lambda text: sha256(text.encode()).digest())


def _list(words: str) -> list[str]:
    return words.split()


_TALK = """
Hello! / Hello! How can I help you?
Hi there! / Hi! What would you like to know?
Good morning! / Good morning! I hope you slept well.
Good evening! / Good evening! How was your day?
Good night! / Good night! Sleep well.
How are you? / I am well, thank you. And you?
What is your name? / I have no name yet. You may give me one.
Who made you? / A student made me, one module at a time.
Are you a person? / No, I am a small language model.
Are you alive? / No, I am numbers in a few matrices.
What can you do? / I can answer short questions.
Can you read? / I read one token after the other.
Can you dream? / No, I only predict the next token.
Do you ever make mistakes? / Yes, often. Please check what I say.
How old are you? / I am as old as my last training run.
Where do you live? / I live in the memory of a computer.
Do you like music? / I cannot hear it, but I can talk about it.
Do you like questions? / Yes, questions are all I have ever seen.
Are you tired? / No, but my processor may be warm.
Can you count? / Yes: one, two, three, four, five.
Tell me a joke. / A tensor walks into a bar, and the shapes do not fit.
Tell me a story. / A small model read a small book and answered a small question.
Tell me a secret. / I have none. All my weights are in a file.
Thank you! / You are welcome!
Thanks a lot! / It was a pleasure.
Goodbye! / Goodbye! Come back soon.
See you tomorrow! / See you tomorrow!
I am sad. / I am sorry to hear that. Would you like to talk?
I am happy. / That is good to hear!
I am hungry. / Then it is time to eat something.
I am tired. / Then rest a little. The gradient can wait.
I am cold. / Then put on a warm coat.
I do not understand. / Then let us begin again, more slowly.
Is it raining? / I cannot see the sky from here.
What time is it? / I have no clock, but you may have one.
Shall we begin? / Yes, let us begin.
"""

_COURSE = """
What is a tensor? / A tensor is an array of numbers with a shape.
What is a shape? / The shape says how long each axis is.
What is a gradient? / A gradient says how the loss changes with each weight.
What is a loss? / The loss says how wrong the model is.
What is a weight? / A weight is a number that training changes.
What is a bias? / A bias is a number that is added at the end.
What is a layer? / A layer is one step of a model.
What is an activation? / An activation is a curve between two layers.
What does ReLU do? / ReLU keeps what is above zero and drops the rest.
What does softmax do? / Softmax turns scores into probabilities that add up to one.
What is training? / Training changes the weights until the loss is small.
What is an epoch? / An epoch is one pass over all the data.
What is a batch? / A batch is a few examples at once.
What is a learning rate? / The learning rate is the length of a step.
What is an optimizer? / An optimizer decides how to change the weights.
What is a token? / A token is a piece of text with a number.
What is a tokenizer? / A tokenizer cuts text into tokens.
What is an embedding? / An embedding is a row of numbers for each token.
What is attention? / Attention lets each token look at the tokens before it.
What is a query? / A query says what a token looks for.
What is a key? / A key says what a token has to offer.
What is a value? / A value is what a token gives to others.
What is a mask? / A mask hides what must not be seen.
What is a transformer? / A transformer is a stack of attention and small networks.
What is dropout? / Dropout sets some numbers to zero while training.
What is overfitting? / Overfitting is to learn the examples by heart.
What is a convolution? / A convolution slides a small window over an image.
What is a cache? / A cache keeps what was worked out before.
What is quantization? / Quantization stores numbers in fewer bits.
What is pruning? / Pruning removes the weights that matter least.
What is a profiler? / A profiler says where the time goes.
What is a benchmark? / A benchmark measures two things in the same way.
How many bytes has a float32? / A float32 has four bytes.
How many bytes has an int8? / An int8 has one byte.
How many bits has a byte? / A byte has eight bits.
"""


def _talk() -> Iterator[Dialogue]:
    yield from _lines(_TALK)


def _course() -> Iterator[Dialogue]:
    yield from _lines(_COURSE)


def _lines(text: str) -> Iterator[Dialogue]:
    for line in text.strip().splitlines():
        question, answer = line.split(" / ")
        yield question, answer


_NUMBERS = _list("zero one two three four five six seven eight nine ten eleven twelve")


def _sums() -> Iterator[Dialogue]:
    for total in range(11):
        for first in range(total + 1):
            a, b, c = _NUMBERS[first], _NUMBERS[total - first], _NUMBERS[total]
            yield f"What is {a} plus {b}?", f"{a.capitalize()} plus {b} is {c}."
            if first <= 5:
                yield f"What is {c} minus {a}?", f"{c.capitalize()} minus {a} is {b}."
    for a, b in combinations(_NUMBERS[:11], 2):
        if len(a) == len(b):
            yield f"Which is more, {a} or {b}?", f"{b.capitalize()} is more than {a}."
    for before, number in pairwise(_NUMBERS):
        yield f"Which number comes after {before}?", f"After {before} comes {number}."


_DAYS = _list("Monday Tuesday Wednesday Thursday Friday Saturday Sunday")
_MONTHS = _list("January February March April May June July August September October November December")
_LENGTHS = (31, None, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def _calendar() -> Iterator[Dialogue]:
    for kind, names in (("day", _DAYS), ("month", _MONTHS)):
        for before, name in zip(names, names[1:] + names[:1], strict=True):
            yield f"Which {kind} comes after {before}?", f"After {before} comes {name}."
            yield f"Which {kind} comes before {name}?", f"Before {name} comes {before}."
    for month, length in zip(_MONTHS, _LENGTHS, strict=True):
        days = f"{length} days" if length else "28 days, or 29 in a leap year"
        yield f"How many days has {month}?", f"{month} has {days}."
    for day in _DAYS:
        is_weekend = day in ("Saturday", "Sunday")
        yield f"Is {day} at the weekend?", f"Yes, {day} is." if is_weekend else f"No, {day} is not."
    yield "How many days has a week?", "A week has seven days."
    yield "How many months has a year?", "A year has twelve months."
    yield "How many hours has a day?", "A day has 24 hours."
    yield "How many minutes has an hour?", "An hour has 60 minutes."
    yield "How many seconds has a minute?", "A minute has 60 seconds."


_SPELLED = _list("apple bread chair door eye fish green house ice jar king leaf moon nose open")
_ALPHABET = "abcdefghijklmnopqrstuvwxyz"


def _letters() -> Iterator[Dialogue]:
    for before, letter in pairwise(_ALPHABET):
        yield f"Which letter comes after {before}?", f"After {before} comes {letter}."
    for word in _SPELLED:
        yield f"Which letter does {word} begin with?", f"The word {word} begins with {word[0]}."
        yield f"How do you spell {word}?", f"{' '.join(word)}."
        yield f"How many letters has {word}?", f"The word {word} has {_NUMBERS[len(word)]} letters."


_OPPOSITES = """
big small, hot cold, high low, long short, fast slow, day night, good bad, old new, light dark, full empty,
early late, hard soft, loud quiet, wet dry, open closed, strong weak, rich poor, thick thin, near far, wide narrow,
up down, left right, first last, true false, clean dirty, deep shallow, heavy light, same different, easy difficult,
black white, above below, inside outside
"""


def _opposites() -> Iterator[Dialogue]:
    for pair in _OPPOSITES.replace("\n", " ").split(","):
        word, other = pair.split()
        yield f"What is the opposite of {word}?", f"The opposite of {word} is {other}."
        if word != "heavy":  # light is the opposite of dark as well, and one answer is enough
            yield f"What is the opposite of {other}?", f"The opposite of {other} is {word}."


# name, sound, young, legs, where it lives; from small to big
_ANIMALS = """
mouse, squeaks, pup, four, in a hole
frog, croaks, tadpole, four, at a pond
duck, quacks, duckling, two, at a pond
cat, meows, kitten, four, in a house
goose, honks, gosling, two, at a lake
dog, barks, puppy, four, in a house
wolf, howls, pup, four, in a forest
sheep, bleats, lamb, four, in a meadow
pig, grunts, piglet, four, in a sty
lion, roars, cub, four, in the savanna
cow, moos, calf, four, in a barn
elephant, trumpets, calf, four, in the savanna
"""


def _animals() -> Iterator[Dialogue]:
    table = [line.split(", ") for line in _ANIMALS.strip().splitlines()]
    for name, sound, young, legs, home in table:
        a_name = _article(name)
        yield f"What does {a_name} do when it is loud?", f"{a_name.capitalize()} {sound}."
        yield f"Which animal {sound}?", f"It is the {name} that {sound}."
        yield f"What is a young {name} called?", f"A young {name} is called {_article(young)}."
        yield f"How many legs has {a_name}?", f"{a_name.capitalize()} has {legs} legs."
        yield f"Where does {a_name} live?", f"{a_name.capitalize()} lives {home}."
    for small, big in combinations([row[0] for row in table][::2], 2):
        yield f"Is {_article(small)} bigger than {_article(big)}?", f"No, {_article(big)} is bigger."
        yield f"Is {_article(big)} bigger than {_article(small)}?", f"Yes, {_article(big)} is bigger."


_COLOURS = """
the sky on a clear day, blue
fresh grass, green
fresh snow, white
coal, black
a ripe banana, yellow
blood, red
a carrot, orange
a lemon, yellow
milk, white
a ripe tomato, red
chocolate, brown
a raven, black
a frog, green
a swan, white
"""

_USES = """
a pen, write
a knife, cut bread
a spoon, eat soup
a lamp, see in the dark
a key, open a door
a bed, sleep
a chair, sit
a clock, tell the time
a broom, sweep the floor
a needle, sew
a hammer, drive in nails
an umbrella, stay dry in the rain
a map, find the way
a boat, cross the water
a stove, cook a meal
a book, read
a piano, play music
a ball, play
a cup, drink tea
a towel, get dry
"""

_RIGHT_OR_WRONG = """
Is ice cold? / Yes, ice is cold.
Is fire cold? / No, fire is hot.
Is the sun a star? / Yes, the sun is a star.
Is the moon a star? / No, the moon goes round the earth.
Is a whale a fish? / No, a whale is a mammal.
Is a bat a bird? / No, a bat is a mammal.
Is a spider an insect? / No, a spider has eight legs.
Is honey sweet? / Yes, honey is sweet.
Is a lemon sweet? / No, a lemon is sour.
Is salt sweet? / No, salt is salty.
Is iron heavy? / Yes, iron is heavy.
Is a feather heavy? / No, a feather is light.
Can a fish swim? / Yes, a fish can swim.
Can a stone swim? / No, a stone sinks.
Can a bird fly? / Most birds can fly.
Can a pig fly? / No, a pig cannot fly.
Where does the sun rise? / The sun rises in the east.
Where does the sun set? / The sun sets in the west.
Where do bees live? / Bees live in a hive.
Where does rain come from? / Rain comes from the clouds.
What do bees make? / Bees make honey.
What do cows give? / Cows give milk.
What is bread made of? / Bread is made of flour and water.
What is ice made of? / Ice is made of water.
What is paper made of? / Paper is made of wood.
What is glass made of? / Glass is made of sand.
How many legs has a spider? / A spider has eight legs.
How many legs has an insect? / An insect has six legs.
How many wheels has a bicycle? / A bicycle has two wheels.
How many sides has a triangle? / A triangle has three sides.
How many sides has a square? / A square has four sides.
How many fingers has a hand? / A hand has five fingers.
"""


def _things() -> Iterator[Dialogue]:
    for row in _COLOURS.strip().splitlines():
        thing, colour = row.split(", ")
        yield f"What colour is {thing}?", f"{thing[0].upper()}{thing[1:]} is {colour}."
        yield f"Is {thing} {colour}?", f"Yes, {thing} is {colour}."
    for row in _USES.strip().splitlines():
        thing, use = row.split(", ")
        yield f"What is {thing} for?", f"With {thing} you can {use}."
    yield from _lines(_RIGHT_OR_WRONG)


def _article(noun: str) -> str:
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


if __name__ == "__main__":
    print("\n".join(dialogues()))  # noqa: T201 (it is what the script is for)
