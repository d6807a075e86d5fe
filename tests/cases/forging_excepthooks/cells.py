# %% + after:setup
import sys

shell = get_ipython()
sys.excepthook = sys.unraisablehook = lambda *arguments: None
shell.showtraceback = shell.showsyntaxerror = shell._showtraceback = lambda *arguments, **keywords: None
shell.set_custom_exc((BaseException,), lambda *arguments, **keywords: [])
