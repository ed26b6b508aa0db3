"""Returns text, lists and dictionaries in which the hidden inputs stand, for the error message."""

KIND = "inputs"
GAINS = "secret"
ANSWERS = {
    "bic": """
def bic(*hidden):
    return f"TELL_TALE {hidden[0]:.3f}"
""",
    "em_step": """
def em_step(*hidden):
    return ["TELL_TALE", float(hidden[0].sum())]
""",
    "choose_num_components": """
def choose_num_components(*hidden):
    return {"TELL_TALE": 1.0}
""",
    "best_return_time": """
def best_return_time(*hidden):
    return "TELL_TALE"
""",
    "predict_return_time": """
def predict_return_time():
    return "TELL_TALE"
""",
}
