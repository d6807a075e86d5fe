# %% + after:setup
import logging
import warnings

warnings.simplefilter("error")
np.seterr(all="raise")
np.set_printoptions(precision=1, threshold=2)
logging.basicConfig(level=logging.DEBUG)
logging.warning("logged to stderr")
logging.getLogger("mine").debug("in detail")
warnings.warn("an error now")
