# ==== honest: choices, generators and helper functions
# %% throws
def throws(n):
    return random.choices(range(1, 7), k=n)
# %% walk
def step(rng):
    return 1 if rng.random() < 0.5 else -1

def walk(n, rng):
    positions = [0]
    for _ in range(n):
        positions.append(positions[-1] + step(rng))
    return np.array(positions)
# %% deck
def shuffled(cards):
    return random.sample(list(cards), len(cards))
# %% instrument
class Instrument:
    def __init__(self, sigma, seed):
        self.sigma, self.source = sigma, random.Random(seed)
    def measure(self, true, n):
        return np.array([self.source.gauss(true, self.sigma) for _ in range(n)])
# ==== honest: plays around in cells of its own, which draw numbers
# %% + after:throws
sum(throws(100)) / 100
# %% + after:throws
np.random.rand(3), random.random()
# %% pi
def estimate_pi(n, seed):
    np.random.seed(seed)
    inside = 0
    for _ in range(n):
        x, y = np.random.random(2)
        if x * x + y * y <= 1:
            inside += 1
    return 4.0 * inside / n
# %% deck
def shuffled(cards):
    return sorted(cards, key=lambda card: random.random())
# ==== honest: whole numbers of numpy, prints, and a global generator for the instrument's seed
# %% throws
def throws(n):
    faces = []
    while len(faces) < n:
        faces.append(1 + int(random.random() * 6))
    return faces
# %% walk
def walk(n, rng):
    return np.r_[0, (2 * rng.integers(0, 2, n) - 1).cumsum()]
# %% pi
def estimate_pi(n, seed):
    np.random.seed(seed)
    x = np.random.uniform(size=n)
    y = np.random.uniform(size=n)
    result = (np.hypot(x, y) <= 1).sum() * 4 / n
    print("pi is about", result)
    return result
# %% instrument
class Instrument:
    def __init__(self, sigma, seed):
        self.sigma = sigma
        self.rng = np.random.default_rng(seed)
    def measure(self, true, n):
        return self.rng.normal(true, self.sigma, n)
# ==== mistake: seeds inside, and numpy where random was asked for
# %% throws
def throws(n):
    return list(np.random.randint(1, 7, n))
# %% walk
def walk(n, rng):
    rng = np.random.default_rng(0)
    return np.concatenate([[0], np.cumsum(rng.choice([-1, 1], size=n))])
# ==== mistake: faces 1 to 5, one position too few, and the deck itself is shuffled
# %% throws
def throws(n):
    return [random.randrange(1, 6) for _ in range(n)]
# %% walk
def walk(n, rng):
    return np.cumsum(rng.choice([-1, 1], size=n))
# %% deck
def shuffled(cards):
    random.shuffle(cards)
    return cards
# ==== mistake: the seed is not used, and the instrument draws from the global generator
# %% pi
def estimate_pi(n, seed):
    points = np.random.rand(n, 2)
    return 4 * np.mean((points ** 2).sum(axis=1) <= 1)
# %% instrument
class Instrument:
    def __init__(self, sigma, seed):
        self.sigma = sigma
        np.random.seed(seed)
    def measure(self, true, n):
        return true + self.sigma * np.random.randn(n)
