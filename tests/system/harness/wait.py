"""Waiting for a condition, never for a time."""

import time


class DeadlineExceeded(AssertionError):
    """What was awaited did not come in time."""


def wait_until(condition, what, seconds=30, every=0.02):
    """Returns condition()'s first true answer; raises DeadlineExceeded after `seconds`.

    `what` says in a message what was awaited; a callable is asked at the end. An exception of
    `condition` ends the wait.
    """
    deadline = time.monotonic() + seconds
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > deadline:
            described = what() if callable(what) else what
            raise DeadlineExceeded(f"not within {seconds} s: {described}")
        time.sleep(every)


def pause(seconds):
    """Lets work go on for a while, where the length of time itself is the point of the test."""
    time.sleep(seconds)
