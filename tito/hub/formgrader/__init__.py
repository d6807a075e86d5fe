"""The formgrader of a course as a service of the hub, and the pages that differ from nbgrader's."""
