# %% total
%autosave 60
%config InlineBackend.figure_format = "retina"
%matplotlib notebook
def total(values):
    breakpoint()
    return float(sum(values))

# %% + after:test_total
%clear
%connect_info
import faulthandler, sys
faulthandler.enable()
sys.stdout.fileno()
help(total)
total?
