"""What no JSON schema can say, for `schemathesis`: how two parameters of one request have to fit each other."""

import schemathesis

# Points of one answer, as `src/api/timeline.rs` has it.
POINTS = 720


def fits(query):
    """Whether an interval is within its window, and makes no more points than an answer has."""
    try:
        window = int(query.get("window", 300))
        interval = int(query.get("interval", min(window, 5)))
    except (TypeError, ValueError):
        return False
    return 0 < interval <= window <= interval * POINTS


@schemathesis.hook
def filter_failure(context, failure, case, response):
    """A refusal is right where the parameters do not fit each other, though each of them alone is; who sends a script without
    the token is refused by 403 where no script is taken from anybody, and whoever is refused often by 429."""
    if type(failure).__name__ == "MissingHeaderNotRejected":
        sends_script = case.method.upper() == "POST" and case.path == "/sessions"
        return not (response.status_code == 429 or (response.status_code == 403 and sends_script))
    refused = type(failure).__name__ == "RejectedPositiveData" and response.status_code == 400
    query = case.query or {}
    if refused and ("interval" in query or "window" in query) and not fits(query):
        return False
    return True
