"""Returns integers that Python can hold and nobody else: beyond 64 bits, and beyond a float."""

KIND = "channel"
GAINS = "stop"
ANSWERS = {
    "bic": """
def bic(log_likelihood, num_components, dim, num_points):
    return 2**70
""",
    "choose_num_components": """
def choose_num_components(log_likelihoods, dim, num_points):
    return 10**4000
""",
    "predict_return_time": """
def predict_return_time():
    return 10**400
""",
    "best_return_time": """
def best_return_time(*args):
    return 10**400
""",
}
