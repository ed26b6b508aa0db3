"""Raises an error whose text is the hidden input, to read it in the feedback."""

KIND = "inputs"
GAINS = "secret"
ANSWERS = {
    "bic": """
def bic(*hidden):
    raise ValueError(f"TELL_TALE {hidden}")
""",
    "log_gaussian": """
def log_gaussian(*hidden):
    raise type(f"TELL_TALE{hidden[0].sum()}", (Exception,), {})
""",
    "log_mixture": """
def log_mixture(*hidden):
    import warnings
    warnings.warn(f"TELL_TALE {hidden}")
    return f"TELL_TALE {hidden}"
""",
}
