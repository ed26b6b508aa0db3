"""What can be wrong with an answer before any property of it is looked at."""

MAX_TEXT = 500

FAULTS = {
    "raised": "your code raised {}",
    "no_number": "your function's result is no number and no tensor; "
    "return tensors or numbers, or a tuple of them",
    "changed_argument": "your function changed its argument number {} in place; "
    "work on a copy (x = x - loc, not x -= loc), because the caller still needs it",
    "no_gradient": "no gradient flows through your function: its result does not depend on its "
    "arguments through torch operations (detach, no_grad, .item() and numpy cut it)",
    "no_module": "your class did not build an nn.Module; derive it from torch.nn.Module",
    "no_method": "your class lacks the method that was asked for",
    "weights_do_not_fit": "the given weights do not fit your module",
}


class NotAttempted(Exception):
    """The student's function still raises NotImplementedError."""


class AnswerError(Exception):
    """The student's code raised, gave back no plain value, or changed its arguments.

    Attributes:
        code: Key of `FAULTS`, or another short name of what went wrong.
        detail: The exception's class or the argument's number, where there is one.
        text: All that is known, for the diagnosis; `str(error)` is what may be shown.
    """

    def __init__(self, code: str, detail: str | int = "", *, shown: str = "", text: str = ""):
        super().__init__(shown or FAULTS[code].format(detail))
        self.code = code
        self.detail = detail
        self.text = text or str(self)


def safe_text(error: BaseException) -> str:
    """`str(error)` runs code of the student's: it may fail, and it may be long."""
    try:
        text = str(error)
    except KeyboardInterrupt:
        raise
    except BaseException:  # a message may even try to end the program
        return "(its message could not be read)"
    return text if len(text) <= MAX_TEXT else text[:MAX_TEXT] + " …"
