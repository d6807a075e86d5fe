# ==== honest: generators, and other magics in cells of its own
# %% sums
slow_sum = lambda n: sum(k ** 2 for k in range(n))
def fast_sum(n):
    return np.dot(np.arange(n), np.arange(n))
# %% + after:sums
%time slow_sum(10000)
# %% + after:sums
%who
%precision 3
# %% shell
files = %sx ls *.py
# %% timed
import timeit
best = min(timeit.repeat(lambda: slow_sum(2000), number=1, repeat=3))
# ==== honest: cell magics around everything
# %% capture
%%capture captured
print("drawing %d bars" % bars)
fig = plt.figure()
axes = fig.add_subplot()
for k in range(bars):
    axes.bar(k, k + 1)
plt.show()
# %% + after:capture
captured.show()
# %% + after:capture
%%time
x = [k for k in range(1000)]
# %% shell
from glob import glob
files = sorted(glob("*.py"))
# ==== honest: bash and an alias
# %% + after:shell
%%bash
echo "in bash"
ls | head -n 3
# %% sums
def slow_sum(n):
    if n <= 0:
        return 0
    total, k = 0, 1
    while k < n:
        total += k * k
        k += 1
    return total

def fast_sum(n):
    return (n - 1) * n * (2 * n - 1) // 6
# %% timed
result = %timeit -o -n 1 -r 3 slow_sum(2000)
best = min(result.all_runs)
# ==== mistake: sums up to and with n
# %% sums
def slow_sum(n):
    return sum(k * k for k in range(n + 1))
def fast_sum(n):
    return int((np.arange(n + 1) ** 2).sum())
# ==== mistake: prints nothing, and a module with an error
# %% capture
%%capture captured
figure, axes = plt.subplots()
axes.bar(range(bars), range(bars))
# %% module
%%writefile tools.py
def twice(x)
    return 2 * x
# ==== mistake: all files, and minutes instead of seconds
# %% shell
files = !ls
# %% timed
timing = %timeit -o -q -n 1 -r 1 slow_sum(2000)
best = str(timing)
