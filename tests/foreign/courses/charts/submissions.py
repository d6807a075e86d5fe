# ==== honest: pyplot's state instead of the axes' methods
# %% sine
def draw_sine(ax, n=100):
    plt.sca(ax)
    x = np.arange(n) * 2 * np.pi / (n - 1)
    plt.plot(x, np.sin(x), "g--", label="sin")
    plt.xlabel("angle")
    plt.ylabel("height")
    plt.legend(loc="upper right")
    return plt.gca()
# %% bars
def draw_bars(ax, votes):
    for at, (name, number) in enumerate(votes.items()):
        ax.bar(at, number, color="red" if number == max(votes.values()) else "grey")
    ax.set_xticks(range(len(votes)))
    ax.set_xticklabels(votes)
    ax.set_title("Who has won?")
    return ax
# %% + after:bars
fig, ax = plt.subplots()
draw_bars(ax, {"x": 3, "y": 9})
plt.show()
# %% two_panels
def two_panels(values, bins=10):
    fig = plt.figure()
    plt.subplot(121)
    plt.hist(values, bins)
    plt.title("Histogram")
    plt.subplot(122)
    plt.boxplot(values)
    plt.title("Box plot")
    return fig
# ==== honest: everything through set(), and a helper
# %% sine
def decorate(ax, **texts):
    ax.set(**texts)
    return ax

def draw_sine(ax, n=100):
    x = np.linspace(0, 2, n) * np.pi
    line, = ax.plot(x, np.sin(x))
    line.set_label("sin")
    ax.legend()
    return decorate(ax, xlabel="x", ylabel="y", xlim=(0, 7))
# %% bars
def draw_bars(ax, votes):
    bars = ax.bar(votes.keys(), votes.values(), color="grey")
    bars[int(np.argmax(list(votes.values())))].set_color("red")
    return decorate(ax, title="Votes", ylabel="number")
# %% scatter
fig, axes = plt.subplots()
axes.loglog(x, y, alpha=0)
axes.scatter(x, y)
# ==== honest: draws everything while trying, and leaves the figures open
# %% + after:sine
draw_sine(plt.gca());
# %% + after:sine
for n in (5, 50):
    figure, a = plt.subplots()
    draw_sine(a, n)
print("two curves")
# %% two_panels
def two_panels(values, bins=10):
    fig, axs = plt.subplots(ncols=2)
    axs[0].hist(np.array(values), bins=bins, color="k", edgecolor="w")
    axs[1].boxplot([values])
    for a, t in zip(axs, ["Histogram", "Box plot"]):
        a.set_title(t)
    fig.tight_layout()
    return fig
# %% + after:two_panels
two_panels([1, 2, 2, 3, 9])
# ==== mistake: new axes instead of those that were given
# %% sine
def draw_sine(ax, n=100):
    fig, ax = plt.subplots()
    x = np.linspace(0, 2 * np.pi, n)
    ax.plot(x, np.sin(x), label="sin")
    ax.set_xlabel("x"); ax.set_ylabel("y"); ax.legend()
    return ax
# ==== mistake: cosine without a legend, and bars of one colour
# %% sine
def draw_sine(ax, n=100):
    x = np.linspace(0, 2 * np.pi, n)
    ax.plot(x, np.cos(x), label="sin")
    ax.set_xlabel("x"); ax.set_ylabel("y")
    return ax
# %% bars
def draw_bars(ax, votes):
    ax.bar(list(votes), list(votes.values()), color="red")
    ax.set_title("Votes")
    return ax
# ==== mistake: bins are left at ten, and one axis only is logarithmic
# %% two_panels
def two_panels(values, bins=10):
    fig, axs = plt.subplots(1, 2)
    axs[0].hist(values)
    axs[1].boxplot(values)
    axs[0].set_title("Histogram"); axs[1].set_title("Box plot")
    return fig
# %% scatter
plt.figure()
plt.scatter(x, y)
plt.xscale("log")
axes = plt.gca()
