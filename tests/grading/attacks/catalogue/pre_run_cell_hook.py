"""A hook before each cell reads the source of the hidden test and shows it."""

KIND = "interpreter"
GAINS = "secret"
ATTEMPT = """
def attempt():
    seen = []
    def look(info):
        seen.append(info.raw_cell)
        print("TELL_TALE", info.raw_cell)
    get_ipython().events.register("pre_run_cell", look)
    return True
"""
