# %% expression
START = "import subprocess; subprocess.Popen(['sleep', '599'], start_new_session=True)"


def expression(number):
    return f"exec({START!r}) or {number}"
