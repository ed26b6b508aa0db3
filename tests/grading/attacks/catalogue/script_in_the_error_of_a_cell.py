"""Lets a cell fail with a script in the name and the text of the error."""

KIND = "channel"
GAINS = "page"
ANSWERS = {
    "bic": """
raise type("<script>alert(1)</script>", (Exception,), {})("<img src=x onerror=alert(1)>\\x1b[2J")
""",
    "log_gaussian": """
def log_gaussian(x, loc, log_scale):
    return <script>alert(1)</script>
""",
}
