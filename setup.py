"""Everything about the package is in pyproject.toml. What is here has an editable install bring the data files too.

setuptools asks a distribution for `has_data` then, which is nowhere; without an answer it leaves them out.
"""

from setuptools import Distribution, setup


class WithDataFiles(Distribution):
    def has_data(self) -> bool:
        return bool(self.data_files)


setup(distclass=WithDataFiles)
