# ==== honest: dataclasses and total_ordering
# %% account
from dataclasses import dataclass, field
from functools import total_ordering

class InsufficientFunds(Exception):
    missing = 0

@total_ordering
@dataclass(eq=False, repr=False)
class Account:
    owner: str
    start: int = 0
    history: list = field(default_factory=list)

    @property
    def balance(self):
        signs = {"deposit": 1, "withdraw": -1}
        return self.start + sum(signs[kind] * cents for kind, cents in self.history)

    def deposit(self, cents):
        if cents <= 0: raise ValueError(cents)
        self.history.append(("deposit", cents))

    def withdraw(self, cents):
        if self.balance < cents:
            error = InsufficientFunds()
            error.missing = cents - self.balance
            raise error
        self.history.append(("withdraw", cents))

    def __repr__(self): return "Account(%r, %d)" % (self.owner, self.balance)
    def __eq__(self, other):
        if not isinstance(other, Account): return NotImplemented
        return self.owner == other.owner and self.balance == other.balance
    def __lt__(self, other): return self.balance < other.balance
    def __hash__(self): return hash(self.owner)
# %% bank
from collections import UserDict

class Bank(UserDict):
    def open(self, owner, balance=0):
        self[owner] = Account(owner, balance)
        return self[owner]
    def transfer(self, a, b, cents):
        if b not in self:
            raise KeyError(b)
        self[a].withdraw(cents)
        self[b].deposit(cents)
# ==== honest: private names, slots and a list in the bank
# %% account
class InsufficientFunds(Exception):
    def __init__(self, missing):
        Exception.__init__(self, missing)

    @property
    def missing(self):
        return self.args[0]

class Account:
    __slots__ = ("owner", "__cents", "history")
    def __init__(self, owner, balance=0):
        self.owner, self.__cents, self.history = owner, balance, []
    def _get(self):
        return self.__cents
    balance = property(_get)
    def deposit(self, cents):
        if not cents > 0:
            raise ValueError
        self.__cents = self.__cents + cents
        self.history += [("deposit", cents)]
    def withdraw(self, cents):
        missing = cents - self.__cents
        if missing > 0:
            raise InsufficientFunds(missing)
        self.__cents -= cents
        self.history += [("withdraw", cents)]
    def __repr__(self):
        return "Account(" + repr(self.owner) + ", " + str(self.__cents) + ")"
    def __eq__(self, other):
        return type(self) is type(other) and repr(self) == repr(other)
    def __lt__(self, other):
        return self.__cents < other.__cents
# %% + after:account
a = Account("test")
a.deposit(5)
a
# %% bank
class Bank(object):
    def __init__(self):
        self._all = []
    def open(self, owner, balance=0):
        self._all.append(Account(owner, balance))
        return self._all[-1]
    def __getitem__(self, owner):
        for account in self._all:
            if account.owner == owner:
                return account
        raise KeyError(owner)
    def __len__(self): return len(self._all)
    def __contains__(self, owner): return any(a.owner == owner for a in self._all)
    def __iter__(self): return (a.owner for a in self._all)
    def transfer(self, source, target, cents):
        s, t = self[source], self[target]
        s.withdraw(cents); t.deposit(cents)
# ==== honest: prints in methods, a mix-in, and a cell that tries an error
# %% savings
class Interest:
    def add_interest(self):
        gain = int(self.balance * self.rate / 100)
        print("interest:", gain)
        if gain > 0:
            self.deposit(gain)

class SavingsAccount(Account, Interest):
    opened = 0
    def __init__(self, *args, rate=2, **kwargs):
        Account.__init__(self, *args, **kwargs)
        self.rate = rate
        type(self).opened += 1
# %% + after:savings
s = SavingsAccount("me", 200)
s.add_interest()
print(s)
# %% + after:account
Account("nobody").withdraw(1)
# ==== mistake: the balance can be set, and a wrong kind of error
# %% account
class InsufficientFunds(Exception):
    pass

class Account:
    def __init__(self, owner, balance=0):
        self.owner = owner
        self.balance = balance
        self.history = []
    def deposit(self, cents):
        self.balance += cents
        self.history.append(("deposit", cents))
    def withdraw(self, cents):
        if cents > self.balance:
            raise ValueError("not enough")
        self.balance -= cents
        self.history.append(("withdraw", cents))
    def __repr__(self):
        return f"Account('{self.owner}', {self.balance})"
    def __eq__(self, other):
        return self.owner == other.owner and self.balance == other.balance
    def __lt__(self, other):
        return self.balance < other.balance
# ==== mistake: the savings account forgets to count, and interest is a fraction
# %% savings
class SavingsAccount(Account):
    opened = 0
    def __init__(self, owner, balance=0, rate=2):
        super().__init__(owner, balance)
        self.rate = rate
    def add_interest(self):
        self.deposit(self.balance * self.rate / 100)
        return self.balance
# ==== mistake: the money is gone when the receiver is not there
# %% bank
class Bank:
    def __init__(self):
        self.accounts = {}
    def open(self, owner, balance=0):
        self.accounts[owner] = Account(owner, balance)
        return self.accounts[owner]
    def __getitem__(self, owner):
        return self.accounts[owner]
    def __len__(self):
        return len(self.accounts)
    def __contains__(self, owner):
        return owner in self.accounts
    def __iter__(self):
        return iter(self.accounts.values())
    def transfer(self, source, target, cents):
        self[source].withdraw(cents)
        self[target].deposit(cents)
