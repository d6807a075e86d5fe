# %% [markdown]
# # Objects: accounts
# Write the classes step by step. Amounts are whole cents.

# %% solution="account"
class InsufficientFunds(Exception):
    """More was asked for than there is."""
    ### BEGIN SOLUTION
    def __init__(self, missing):
        super().__init__(f"{missing} cents are missing")
        self.missing = missing
    ### END SOLUTION


class Account:
    """An account of an owner, with a balance in cents."""

    ### BEGIN SOLUTION
    def __init__(self, owner, balance=0):
        self.owner = owner
        self._balance = balance
        self.history = []

    @property
    def balance(self):
        return self._balance

    def deposit(self, cents):
        if cents <= 0:
            raise ValueError("deposit something")
        self._balance += cents
        self.history.append(("deposit", cents))

    def withdraw(self, cents):
        if cents > self._balance:
            raise InsufficientFunds(cents - self._balance)
        self._balance -= cents
        self.history.append(("withdraw", cents))

    def __repr__(self):
        return f"Account({self.owner!r}, {self._balance})"

    def __eq__(self, other):
        return isinstance(other, Account) and (self.owner, self.balance) == (other.owner, other.balance)

    def __lt__(self, other):
        return self.balance < other.balance
    ### END SOLUTION

# %% test="test_balance" points=2
account = Account("Ida", 500)
account.deposit(250)
assert account.balance == 750
assert account.owner == "Ida"
assert Account("Jo").balance == 0
### BEGIN HIDDEN TESTS
account.withdraw(700)
assert account.balance == 50
try:
    account.balance = 10 ** 9
except AttributeError:
    pass
else:
    raise AssertionError("balance must be read-only")
### END HIDDEN TESTS

# %% test="test_errors" points=2
poor = Account("Ken", 30)
try:
    poor.withdraw(100)
    raised = False
except InsufficientFunds as error:
    raised = True
    assert error.missing == 70
assert raised, "withdraw more than there is and InsufficientFunds must be raised"
### BEGIN HIDDEN TESTS
assert issubclass(InsufficientFunds, Exception) and not issubclass(InsufficientFunds, ValueError)
assert poor.balance == 30
for wrong in (0, -5):
    try:
        poor.deposit(wrong)
    except ValueError:
        pass
    else:
        assert False, f"deposit({wrong}) went through"
### END HIDDEN TESTS

# %% test="test_dunders" points=2
assert repr(Account("Lea", 5)) == "Account('Lea', 5)"
assert Account("Lea", 5) == Account("Lea", 5)
assert Account("Lea", 5) != Account("Max", 5)
### BEGIN HIDDEN TESTS
accounts = [Account("a", 3), Account("b", 1), Account("c", 2)]
assert [account.owner for account in sorted(accounts)] == ["b", "c", "a"]
assert Account("Lea", 5) != ("Lea", 5)
assert min(accounts).balance == 1
### END HIDDEN TESTS

# %% [markdown]
# ## Savings
# A savings account is an account that also earns interest: `add_interest()` adds `rate` percent, rounded down.
# It counts how many savings accounts were opened, in the class attribute `opened`.

# %% solution="savings"
class SavingsAccount(Account):
    opened = 0

    ### BEGIN SOLUTION
    def __init__(self, owner, balance=0, rate=2):
        super().__init__(owner, balance)
        self.rate = rate
        SavingsAccount.opened += 1

    def add_interest(self):
        interest = self.balance * self.rate // 100
        if interest:
            self.deposit(interest)
    ### END SOLUTION

# %% test="test_savings" points=2
savings = SavingsAccount("Nia", 1000, rate=3)
savings.add_interest()
assert savings.balance == 1030
assert isinstance(savings, Account)
### BEGIN HIDDEN TESTS
assert SavingsAccount.__mro__[1] is Account
before = SavingsAccount.opened
SavingsAccount("x"); SavingsAccount("y", 5)
assert SavingsAccount.opened == before + 2
assert SavingsAccount("z", 99, rate=1).add_interest() is None
assert hasattr(savings, "withdraw") and savings.history == [("deposit", 30)]
### END HIDDEN TESTS

# %% [markdown]
# ## A bank
# `Bank` holds accounts by owner: `bank["Ida"]`, `len(bank)`, `"Ida" in bank`, iteration over owners in order of opening,
# and `transfer(from, to, cents)`, which does all or nothing.

# %% solution="bank"
class Bank:
    ### BEGIN SOLUTION
    def __init__(self, accounts=()):
        self.accounts = {account.owner: account for account in accounts}

    def open(self, owner, balance=0):
        account = Account(owner, balance)
        self.accounts[owner] = account
        return account

    def __getitem__(self, owner):
        return self.accounts[owner]

    def __len__(self):
        return len(self.accounts)

    def __contains__(self, owner):
        return owner in self.accounts

    def __iter__(self):
        return iter(self.accounts)

    def transfer(self, source, target, cents):
        receiver = self[target]
        self[source].withdraw(cents)
        receiver.deposit(cents)
    ### END SOLUTION

# %% test="test_bank" points=2
bank = Bank()
ida = bank.open("Ida", 100)
bank.open("Jo")
assert len(bank) == 2 and "Jo" in bank and "Zed" not in bank
assert bank["Ida"] is ida
bank.transfer("Ida", "Jo", 60)
assert (bank["Ida"].balance, bank["Jo"].balance) == (40, 60)
### BEGIN HIDDEN TESTS
assert list(bank) == ["Ida", "Jo"]
for sender, receiver, error in [("Ida", "Jo", InsufficientFunds), ("Ida", "Zed", KeyError)]:
    try:
        bank.transfer(sender, receiver, 41)
    except error:
        pass
    else:
        raise AssertionError("this transfer cannot be done")
assert (bank["Ida"].balance, bank["Jo"].balance) == (40, 60), "all or nothing"
assert sum(bank[owner].balance for owner in bank) == 100
### END HIDDEN TESTS
